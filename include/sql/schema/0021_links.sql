-- One store of links, and what was last seen of each of the CRM's contacts beside it. From here on
-- nothing of ours depends on the firm's own tables: they are read by include/sql/crm/contacts.sql
-- and may be altered, dropped and swapped.

CREATE TABLE ctct_link (
    contact_id text PRIMARY KEY,
    constant_contact_id text,
    email_address text,
    -- What is longer is no address, and more than an index holds.
    email_key text GENERATED ALWAYS AS (
        CASE WHEN octet_length(email_address) <= 1000 THEN ctct_email_key(email_address) END
    ) STORED,
    first_name text,
    last_name text,
    do_not_email boolean,
    requested_by_contact boolean,
    opt_out_reason text,
    merged_into text,
    written_id text,
    projected_id text,
    absence_hold_id bigint,
    link_hold_id bigint,
    linked_at timestamptz,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 80);

COMMENT ON TABLE ctct_link IS
'What was last seen of each contact of the CRM, and the Constant Contact contact it is linked to.';
COMMENT ON COLUMN ctct_link.contact_id IS
'The CRM''s id.';
COMMENT ON COLUMN ctct_link.constant_contact_id IS
'→ ctct_contact.contact_id. The link; null: none.';
COMMENT ON COLUMN ctct_link.email_key IS
'The address as it is compared.';
COMMENT ON COLUMN ctct_link.do_not_email IS
'The flag as it was last seen; null: the CRM says nothing.';
COMMENT ON COLUMN ctct_link.requested_by_contact IS
'Whether the CRM says that the contact asked for it.';
COMMENT ON COLUMN ctct_link.merged_into IS
'→ ctct_link.contact_id. The contact that this one was merged into.';
COMMENT ON COLUMN ctct_link.written_id IS
'The Constant Contact id that the CRM''s own column has.';
COMMENT ON COLUMN ctct_link.projected_id IS
'→ ctct_contact.contact_id. Whose events its interactions were made of.';
COMMENT ON COLUMN ctct_link.absence_hold_id IS
'→ ctct_hold.hold_id. Absent from the CRM with too many others: a person decides.';
COMMENT ON COLUMN ctct_link.link_hold_id IS
'→ ctct_hold.hold_id. About to lose its link with too many others: a person decides.';
COMMENT ON COLUMN ctct_link.seen_at IS
'When it last looked different from before.';

-- Contacts that left the CRM. One that returns with its address has its link again.
CREATE TABLE ctct_left_contact (
    contact_id text PRIMARY KEY,
    constant_contact_id text,
    projected_id text,
    left_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE ctct_left_contact IS
'Contacts that left the CRM, and the links they had.';
COMMENT ON COLUMN ctct_left_contact.constant_contact_id IS
'→ ctct_contact.contact_id. The link that it had.';
COMMENT ON COLUMN ctct_left_contact.projected_id IS
'Its interactions are still there; null: they are gone.';

INSERT INTO ctct_link (
    contact_id, constant_contact_id, email_address, first_name, last_name, do_not_email,
    written_id, projected_id
)
SELECT
    crm.contact_id,
    nullif(crm.constant_contact_id, ''),
    crm.preferred_email,
    crm.first_name,
    crm.last_name,
    crm.do_not_email,
    crm.constant_contact_id,
    projected.constant_contact_id
FROM crm_contact AS crm
LEFT JOIN ctct_projected_link AS projected ON crm.contact_id = projected.crm_contact_id
WHERE crm.contact_id IS NOT NULL
ON CONFLICT (contact_id) DO NOTHING;

-- Statements that an adopter edited read other tables than crm_contact: the links are known from
-- the projection, the rest is seen by the first look at the CRM.
INSERT INTO ctct_link (contact_id, constant_contact_id, projected_id)
SELECT
    crm_contact_id,
    constant_contact_id,
    constant_contact_id
FROM ctct_projected_link
ON CONFLICT (contact_id) DO NOTHING;

CREATE INDEX ctct_link_contact ON ctct_link (constant_contact_id)
WHERE constant_contact_id IS NOT NULL;
CREATE INDEX ctct_link_email ON ctct_link (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX ctct_link_projected ON ctct_link (projected_id) WHERE projected_id IS NOT NULL;
CREATE INDEX ctct_link_absence_hold ON ctct_link (absence_hold_id)
WHERE absence_hold_id IS NOT NULL;
CREATE INDEX ctct_link_link_hold ON ctct_link (link_hold_id) WHERE link_hold_id IS NOT NULL;
CREATE INDEX ctct_left_contact_projected ON ctct_left_contact (projected_id)
WHERE projected_id IS NOT NULL;

DROP TABLE ctct_projected_link;

ALTER TABLE ctct_hold DROP CONSTRAINT ctct_hold_noun_check;
ALTER TABLE ctct_hold ADD CONSTRAINT ctct_hold_noun_check
CHECK (noun IN ('opt_outs', 'memberships', 'crm_contacts', 'links'));

DROP VIEW crm_consent_difference;
CREATE VIEW crm_consent_difference AS
SELECT
    link.contact_id,
    link.constant_contact_id,
    mirrored.permission_to_send,
    mirrored.opt_out_source,
    mirrored.opt_out_date,
    coalesce(link.do_not_email, FALSE) AS do_not_email
FROM ctct_link AS link
INNER JOIN ctct_contact AS mirrored ON link.constant_contact_id = mirrored.contact_id
WHERE
    mirrored.deleted_at IS NULL
    AND mirrored.email_key IS NOT NULL
    AND coalesce(link.do_not_email, FALSE)
    <> coalesce(mirrored.permission_to_send = 'unsubscribed', FALSE);
COMMENT ON VIEW crm_consent_difference IS
'Linked contacts of which one side says no and the other does not.';

-- What stood on the CRM's own table. A trigger goes with its function, whoever owns the table.
DROP FUNCTION crm_contact_opt_out() CASCADE;
DO $$
DECLARE
    stale regclass;
BEGIN
    FOR stale IN
        SELECT oid FROM pg_class
        WHERE
            relnamespace = current_schema()::regnamespace
            AND relname IN ('crm_contact_who_says_no', 'crm_contact_email', 'crm_contact_link')
            AND relkind = 'i'
            AND pg_has_role(relowner, 'USAGE')
    LOOP
        EXECUTE format('DROP INDEX %s', stale);
    END LOOP;
END
$$;

-- A further account's view of the default one's contacts, with links of its own. An index of that
-- name may be left, where the table is another role's.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_class
        WHERE
            relnamespace = current_schema()::regnamespace
            AND relname = 'crm_contact_link'
            AND relkind = 'r'
    ) THEN
        DROP VIEW crm_contact;
        DROP TABLE crm_contact_link;
        DROP FUNCTION IF EXISTS crm_contact_lock_links(), crm_contact_link();
        DROP FUNCTION IF EXISTS crm_contact_unlink() CASCADE;
        EXECUTE format(
            'DROP INDEX IF EXISTS public.%I', 'account_' || current_schema() || '_email'
        );
    END IF;
END
$$;

-- The address as it was when the change was made: its contact may be gone when somebody looks.
ALTER TABLE crm_opt_out_change ADD COLUMN IF NOT EXISTS email_digest text;
COMMENT ON COLUMN crm_opt_out_change.email_digest IS
'ctct_email_digest(ctct_email_key(address)) of the contact at that moment.';
COMMENT ON COLUMN crm_opt_out_change.contact_id IS
'→ ctct_link.contact_id. May have left the CRM.';
COMMENT ON COLUMN crm_list_membership.contact_id IS
'→ ctct_link.contact_id.';
COMMENT ON COLUMN crm_interaction.contact_id IS
'→ ctct_link.contact_id.';

-- The doorbell: triggers of the CRM's own table (include/sql/crm/doorbell.sql) tell here that a
-- contact's flag was set or cleared, or that the contact asked. Arguments: the names of the columns
-- of the id and the address, and whether the flag is set now ('true' or 'false'). It runs with its
-- owner's rights, since the CRM's users have none here; changed_by is the session's user all the
-- same. A session that knows more says so before it writes:
--   SET LOCAL constant_contact.reason = '…';
--   SET LOCAL constant_contact.requested_by_contact = 'on';
--   SET LOCAL constant_contact.changed_by = '…'
CREATE FUNCTION ctct_ring() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    contact jsonb := to_jsonb(NEW);
    rung_id text := contact ->> TG_ARGV[0];
BEGIN
    IF (SELECT relpersistence FROM pg_catalog.pg_class WHERE oid = TG_RELID) = 't' THEN
        RAISE EXCEPTION 'a temporary table has no doorbell';
    END IF;
    -- A column that was renamed since stops no write of the CRM's: the next look sees the change.
    IF rung_id IS NULL THEN
        RETURN NULL;
    END IF;
    -- As a cast to text has it.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_attribute
        WHERE attrelid = TG_RELID AND attname = TG_ARGV[0] AND atttypid = 'pg_catalog.bpchar'::regtype
    ) THEN
        rung_id := rtrim(rung_id, ' ');
    END IF;
    INSERT INTO crm_opt_out_change (
        contact_id, constant_contact_id, do_not_email, reason, requested_by_contact, changed_by,
        email_digest
    )
    VALUES (
        rung_id,
        (
            SELECT link.constant_contact_id FROM ctct_link AS link WHERE link.contact_id = rung_id
        ),
        TG_ARGV[2]::boolean,
        nullif(current_setting('constant_contact.reason', TRUE), ''),
        coalesce(nullif(current_setting('constant_contact.requested_by_contact', TRUE), ''), 'off')::boolean,
        coalesce(nullif(current_setting('constant_contact.changed_by', TRUE), ''), session_user),
        ctct_email_digest(ctct_email_key(contact ->> TG_ARGV[1]))
    );
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION ctct_ring() FROM public;
-- Nothing that its caller has made is found before ours: temporary tables come last.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ctct_ring() SET search_path = %I, pg_temp', current_schema());
END
$$;

-- A notice makes a transaction that is prepared (two-phase commit) fail: where the server allows
-- those, rows are found by looking every few seconds.
CREATE OR REPLACE FUNCTION crm_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('max_prepared_transactions')::integer = 0 THEN
        PERFORM pg_notify('constant_contact', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;
