-- A person says that these contacts have not left the CRM: they count as there until they are seen
-- again. Parameters: hold_id. Grain: one row a contact.
SELECT contact_id FROM ctct_link
WHERE absence_hold_id = %(hold_id)s;
