-- Mark contacts as deleted that the vendor no longer knows. Parameters: contact_id (array),
-- deleted_at. Grain: one row a contact.
UPDATE ctct_contact
SET deleted_at = %(deleted_at)s
WHERE contact_id = ANY(%(contact_id)s::text[]);
