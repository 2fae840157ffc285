-- A contact without an id can be told from no other. Grain: one row a contact.
DELETE FROM read_contact
WHERE contact_id IS NULL OR contact_id = '';
