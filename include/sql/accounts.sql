-- name: claim
-- Make the tables an account's, unless they are one's already. Parameters: conn_id (of its API).
-- Grain: one row.
INSERT INTO ctct_account (constant_contact_conn_id) VALUES (%(conn_id)s) ON CONFLICT DO NOTHING;

-- name: owner
-- Which account's tables a session sees. Grain: one row; `conn_id` is null where none has them,
-- `in_sight` counts the accounts whose tables are in schemas that the session looks into.
SELECT
    (SELECT account.constant_contact_conn_id FROM ctct_account AS account) AS conn_id,
    (
        SELECT count(*)
        FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE
            relation.relname = 'ctct_account'
            AND namespace.nspname = any(current_schemas(FALSE))
    ) AS in_sight;

-- name: shares_contacts
-- Whether an account has the default one's contacts, those in public. Asked by a session whose
-- first schema is the account's. Grain: one row; `has_own` where the account's schema has a
-- crm_contact of its own that is not the view of an older version, `has_shared` where the default
-- account is in public.
SELECT
    to_regclass(quote_ident(current_schema()) || '.crm_contact') IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM pg_class AS known
        WHERE
            known.relnamespace = quote_ident(current_schema())::regnamespace
            AND known.relname = 'crm_contact_link'
            AND known.relkind = 'r'
    ) AS has_own,
    current_schema() <> 'public'
    AND to_regclass('public.crm_opt_out_change') IS NOT NULL AS has_shared;

-- name: carry_outbox
-- For an account in a schema of its own, after its tables were made: whatever comes to the outbox
-- in public, by the doorbell or by the CRM itself, comes to this account's too, in
-- the same transaction; and so does a person that is erased there. Running it again is harmless.
-- Grain: none.

-- By its owner's rights, since a user of the CRM has none here; changed_by is that user's all the
-- same. An opt-out is to be carried here whatever became of it there; an old opt-in is not.
CREATE OR REPLACE FUNCTION crm_opt_out_from_crm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_RELID <> 'public.crm_opt_out_change'::regclass THEN
        RAISE EXCEPTION '% has no account beside it', TG_RELID::regclass;
    END IF;
    INSERT INTO crm_opt_out_change (
        contact_id, constant_contact_id, do_not_email, reason, requested_by_contact, changed_by,
        changed_at, status, email_digest
    )
    SELECT
        NEW.contact_id,
        (
            SELECT link.constant_contact_id FROM ctct_link AS link
            WHERE link.contact_id = NEW.contact_id
        ),
        NEW.do_not_email,
        NEW.reason,
        NEW.requested_by_contact,
        NEW.changed_by,
        NEW.changed_at,
        CASE WHEN NEW.do_not_email THEN 'pending' ELSE NEW.status END,
        NEW.email_digest;
    RETURN NULL;
END
$$;

-- Who asked to be forgotten asked the firm. By its owner's rights too.
CREATE OR REPLACE FUNCTION ctct_erased_elsewhere() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_RELID <> 'public.ctct_objection'::regclass THEN
        RAISE EXCEPTION '% has no account beside it', TG_RELID::regclass;
    END IF;
    INSERT INTO ctct_objection (source, email_digest, objected_at)
    VALUES (NEW.source, NEW.email_digest, NEW.objected_at);
    RETURN NULL;
END
$$;

DO $$
DECLARE
    account text := 'account_' || current_schema();
BEGIN
    IF EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'public.ctct_objection'::regclass AND tgname = account
    ) THEN
        RETURN;
    END IF;
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT ON public.ctct_objection '
        'FOR EACH ROW WHEN (new.source = ''erasure'' AND new.email_digest IS NOT NULL) '
        'EXECUTE FUNCTION ctct_erased_elsewhere()', account
    );
    INSERT INTO ctct_objection (source, email_digest, objected_at)
    SELECT source, email_digest, objected_at FROM public.ctct_objection
    WHERE source = 'erasure' AND email_digest IS NOT NULL;
END
$$;

DO $$
DECLARE
    account text := 'account_' || current_schema();
BEGIN
    IF EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'public.crm_opt_out_change'::regclass AND tgname = account
    ) THEN
        RETURN;
    END IF;
    -- Nothing is written there from here on to the transaction's end.
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT ON public.crm_opt_out_change '
        'FOR EACH ROW EXECUTE FUNCTION crm_opt_out_from_crm()', account
    );
    -- Who asked to be left alone asked the firm, before this account was here too. A held opt-in is
    -- looked at when its contact is linked.
    INSERT INTO crm_opt_out_change (
        contact_id, do_not_email, reason, requested_by_contact, changed_by, changed_at, status
    )
    SELECT
        contact_id,
        do_not_email,
        reason,
        requested_by_contact,
        changed_by,
        changed_at,
        CASE
            WHEN status = 'held' AND NOT do_not_email THEN 'held'
            WHEN status IN ('pending', 'held') THEN 'pending'
            ELSE 'done'
        END
    FROM public.crm_opt_out_change
    WHERE (do_not_email AND requested_by_contact) OR status IN ('pending', 'held')
    ORDER BY change_id;
END
$$;

-- Only these triggers run them, not every role that may use the schema.
REVOKE ALL ON FUNCTION crm_opt_out_from_crm(), ctct_erased_elsewhere() FROM public;
