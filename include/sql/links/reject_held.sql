-- A person says that these links are to stay. Parameters: hold_id. Grain: one row a CRM contact.
SELECT contact_id FROM ctct_link
WHERE link_hold_id = %(hold_id)s;
