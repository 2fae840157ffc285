-- Forget of whom interactions were made. Parameters: constant_contact_ids.
-- Grain: one row a CRM contact.
DELETE FROM ctct_projected_link
WHERE constant_contact_id = any(%(constant_contact_ids)s::text[]);
