-- Erasure: people who asked for it are gone from the mirror, the ledger and the log, and stay gone.

-- How an address is known again without being kept. Whoever has the address can make it too: it is
-- a person's data still, kept for the one purpose of never writing to that person again.
CREATE FUNCTION ctct_email_digest(email_key text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(sha256(convert_to(email_key, 'UTF8')), 'hex');

CREATE TABLE ctct_erased (
    constant_contact_id text PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_by text NOT NULL,
    is_in_log boolean NOT NULL DEFAULT TRUE
);
COMMENT ON TABLE ctct_erased IS
'The vendor''s contacts that were erased here: what the vendor still says of them is not stored.';
COMMENT ON COLUMN ctct_erased.constant_contact_id IS
'→ ctct_contact.contact_id.';
COMMENT ON COLUMN ctct_erased.is_in_log IS
'The log of calls is gone through after the erasure; until then it may have the id.';

CREATE TABLE ctct_suppressed (
    email_digest text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ctct_suppressed IS
'Addresses of erased people, as digests: nobody who has one is created or put on a list.';
COMMENT ON COLUMN ctct_suppressed.email_digest IS
'ctct_email_digest(ctct_email_key(address)).';
