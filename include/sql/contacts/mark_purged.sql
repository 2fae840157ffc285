-- Mark contacts as deleted that the vendor no longer knows; their addresses are free, and none of
-- our business any more. Parameters: contact_id (array), deleted_at. Grain: one row a contact.
UPDATE ctct_contact
SET deleted_at = %(deleted_at)s, email_address = NULL
WHERE contact_id = ANY(%(contact_id)s::text[]);
