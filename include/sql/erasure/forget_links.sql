-- Forget of whom interactions were made. Parameters: constant_contact_id.
-- Grain: one row a CRM contact.
DELETE FROM ctct_projected_link
WHERE constant_contact_id = %(constant_contact_id)s;
