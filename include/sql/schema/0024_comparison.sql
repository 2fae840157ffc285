-- What the comparison of both sides costs.

-- Not STRICT, as the key itself: STRICT keeps both from being inlined, and before PostgreSQL 18 a
-- function within one that is not inlined is planned at each call.
CREATE OR REPLACE FUNCTION ctct_email_key_unseen(address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(ctct_ascii_domain(ctct_fold_case(ctct_trim_unseen(address))), '');

-- Most addresses that are not plain have ordinary white space at an end only: without that they are
-- plain. The key of every address stays what it was.
CREATE OR REPLACE FUNCTION ctct_email_key(address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN btrim(address, E' \t\r\n') COLLATE "C" ~ '^[!-~]+$'
        THEN lower(btrim(address, E' \t\r\n') COLLATE "C")
    ELSE ctct_email_key_unseen(address)
END;

-- The vendor's opt-outs, to be compared with the register: few beside all contacts.
CREATE INDEX ctct_contact_unsubscribed ON ctct_contact (contact_id)
WHERE permission_to_send = 'unsubscribed' AND deleted_at IS NULL;

-- Of an index that leaves out rows the planner takes no statistics: it read all contacts, and made
-- all their digests, to find a few.
DROP INDEX ctct_contact_digest;
CREATE INDEX ctct_contact_digest ON ctct_contact USING hash (ctct_email_digest(email_key));
