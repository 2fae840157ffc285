-- For an account in a schema of its own, after its tables were made: whatever comes to the outbox
-- in public, by the trigger on crm_contact or by the CRM itself, comes to this account's too, in
-- the same transaction; and so does whoever is erased there. Running it again is harmless.
-- Grain: none.

-- By its owner's rights, since a user of the CRM has none here; changed_by is that user's all the
-- same. An opt-out is to be carried here whatever became of it there; an old opt-in is not.
CREATE OR REPLACE FUNCTION crm_opt_out_from_crm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        hashtextextended('constant_contact links', ctct_account_key())
    );
    INSERT INTO crm_opt_out_change (
        contact_id, constant_contact_id, do_not_email, reason, requested_by_contact, changed_by,
        changed_at, status
    )
    SELECT
        NEW.contact_id,
        (SELECT crm.constant_contact_id FROM crm_contact AS crm WHERE crm.contact_id = NEW.contact_id),
        NEW.do_not_email,
        NEW.reason,
        NEW.requested_by_contact,
        NEW.changed_by,
        NEW.changed_at,
        CASE WHEN NEW.do_not_email THEN 'pending' ELSE NEW.status END;
    RETURN NULL;
END
$$;

-- An id that is given to somebody else later brings no link along.
CREATE OR REPLACE FUNCTION crm_contact_unlink() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM crm_contact_link WHERE contact_id = OLD.contact_id;
    RETURN NULL;
END
$$;

-- Who asked to be forgotten asked the firm. By its owner's rights too.
CREATE OR REPLACE FUNCTION ctct_suppressed_elsewhere() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ctct_suppressed (email_digest, since)
    VALUES (NEW.email_digest, NEW.since)
    ON CONFLICT (email_digest) DO NOTHING;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    account text := 'account_' || current_schema();
BEGIN
    IF EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'public.ctct_suppressed'::regclass AND tgname = account
    ) THEN
        RETURN;
    END IF;
    EXECUTE format(
        'CREATE TRIGGER %I AFTER INSERT ON public.ctct_suppressed '
        'FOR EACH ROW EXECUTE FUNCTION ctct_suppressed_elsewhere()', account
    );
    INSERT INTO ctct_suppressed (email_digest, since)
    SELECT email_digest, since FROM public.ctct_suppressed
    ON CONFLICT (email_digest) DO NOTHING;
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
    IF (SELECT relkind FROM pg_class WHERE oid = 'public.crm_contact'::regclass) IN ('r', 'p') THEN
        EXECUTE format(
            'CREATE TRIGGER %I AFTER DELETE ON public.crm_contact '
            'FOR EACH ROW EXECUTE FUNCTION crm_contact_unlink()', account
        );
        -- As the default account's, which is on a function of its own. Only an owner may make it.
        IF (
            SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
            WHERE oid = 'public.crm_contact'::regclass
        ) THEN
            EXECUTE format(
                'CREATE INDEX %I ON public.crm_contact (ctct_email_key(preferred_email))',
                account || '_email'
            );
        END IF;
    END IF;
END
$$;
