-- An erasure reaches what a contact of the CRM had before, too: an address and a link that it no
-- longer has would bring the person back. Whatever statement changes them, they are kept here.
CREATE TABLE ctct_former_key (
    contact_id text NOT NULL,
    constant_contact_id text,
    email_digest text
);

COMMENT ON TABLE ctct_former_key IS
'Links and addresses that contacts of the CRM had, until a contact is erased.';
COMMENT ON COLUMN ctct_former_key.contact_id IS
'→ ctct_link.contact_id. May have left the CRM.';
COMMENT ON COLUMN ctct_former_key.constant_contact_id IS
'→ ctct_contact.contact_id. The link that it had; null: none.';
COMMENT ON COLUMN ctct_former_key.email_digest IS
'Digest of the address that it had meanwhile; null: none.';

CREATE UNIQUE INDEX ctct_former_key_contact
ON ctct_former_key (contact_id, coalesce(constant_contact_id, ''), coalesce(email_digest, ''));

CREATE FUNCTION ctct_keep_former_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ctct_former_key (contact_id, constant_contact_id, email_digest)
    VALUES (OLD.contact_id, OLD.constant_contact_id, ctct_email_digest(OLD.email_key))
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- Nothing of a first look or a first link: there is nothing former yet.
CREATE TRIGGER ctct_link_changed
AFTER UPDATE OF email_address, constant_contact_id ON ctct_link
FOR EACH ROW WHEN (
    old.email_key <> coalesce(new.email_key, '')
    OR old.constant_contact_id <> coalesce(new.constant_contact_id, '')
)
EXECUTE FUNCTION ctct_keep_former_key();

CREATE TRIGGER ctct_link_left
AFTER DELETE ON ctct_link
FOR EACH ROW WHEN (old.email_key IS NOT NULL OR old.constant_contact_id IS NOT NULL)
EXECUTE FUNCTION ctct_keep_former_key();

INSERT INTO ctct_former_key (contact_id, constant_contact_id)
SELECT
    contact_id,
    constant_contact_id
FROM ctct_left_contact
WHERE constant_contact_id IS NOT NULL
UNION
SELECT
    contact_id,
    projected_id
FROM ctct_left_contact
WHERE projected_id <> ''
UNION
SELECT
    contact_id,
    projected_id
FROM ctct_link
WHERE projected_id <> '' AND projected_id IS DISTINCT FROM constant_contact_id;
