-- For an account in a schema of its own, before its tables are made: the contacts are the CRM's, in
-- public; which of the account's contacts each of them is linked to is kept here. Running it again
-- is harmless. Grain: none.
CREATE TABLE IF NOT EXISTS crm_contact_link (
    contact_id text PRIMARY KEY,
    constant_contact_id text NOT NULL
);

CREATE INDEX IF NOT EXISTS crm_contact_link_constant_contact
ON crm_contact_link (constant_contact_id);

CREATE OR REPLACE VIEW crm_contact AS
SELECT
    shared.contact_id,
    shared.first_name,
    shared.last_name,
    shared.preferred_email,
    shared.do_not_email,
    link.constant_contact_id,
    -- Not every CRM's own view has these two.
    (to_jsonb(shared) ->> 'created_at')::timestamptz AS created_at,
    (to_jsonb(shared) ->> 'updated_at')::timestamptz AS updated_at
FROM public.crm_contact AS shared
LEFT JOIN crm_contact_link AS link ON shared.contact_id = link.contact_id;

-- The flag and the linking must not miss each other: whoever sets the flag while contacts are
-- linked waits for that (see crm_opt_out_from_crm), and whoever has set it is seen.
CREATE OR REPLACE FUNCTION crm_contact_lock_links() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('constant_contact links', ctct_account_key()));
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER crm_contact_lock_links
BEFORE UPDATE OF constant_contact_id ON crm_contact
FOR EACH STATEMENT EXECUTE FUNCTION crm_contact_lock_links();

-- The link is the one column that is written; after a restore the flag is set too, where all
-- accounts see it. A link that another run changed meanwhile is left to it.
CREATE OR REPLACE FUNCTION crm_contact_link() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (NEW.contact_id, NEW.first_name, NEW.last_name, NEW.preferred_email)
    IS DISTINCT FROM (OLD.contact_id, OLD.first_name, OLD.last_name, OLD.preferred_email)
    OR (NEW.do_not_email IS DISTINCT FROM OLD.do_not_email AND NEW.do_not_email IS NOT TRUE) THEN
        RAISE EXCEPTION 'an account writes constant_contact_id only, and sets do_not_email: change public.crm_contact';
    END IF;
    IF NEW.do_not_email IS DISTINCT FROM OLD.do_not_email THEN
        UPDATE public.crm_contact SET do_not_email = TRUE WHERE contact_id = OLD.contact_id;
    END IF;
    IF NEW.constant_contact_id IS NOT DISTINCT FROM OLD.constant_contact_id THEN
        RETURN NEW;
    END IF;
    IF NEW.constant_contact_id IS NULL THEN
        DELETE FROM crm_contact_link
        WHERE contact_id = OLD.contact_id AND constant_contact_id = OLD.constant_contact_id;
    ELSIF OLD.constant_contact_id IS NULL THEN
        INSERT INTO crm_contact_link (contact_id, constant_contact_id)
        VALUES (NEW.contact_id, NEW.constant_contact_id)
        ON CONFLICT DO NOTHING;
    ELSE
        UPDATE crm_contact_link
        SET constant_contact_id = NEW.constant_contact_id
        WHERE contact_id = OLD.contact_id AND constant_contact_id = OLD.constant_contact_id;
    END IF;
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

CREATE OR REPLACE TRIGGER crm_contact_link
INSTEAD OF UPDATE ON crm_contact
FOR EACH ROW EXECUTE FUNCTION crm_contact_link();
