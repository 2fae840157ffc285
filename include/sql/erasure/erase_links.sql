-- Clear the links to an erased person: the mirror has no address to make them anew.
-- Parameters: constant_contact_ids. Grain: one row a CRM contact.
UPDATE ctct_link
SET constant_contact_id = NULL
WHERE constant_contact_id = any(%(constant_contact_ids)s::text[]);
