-- Contacts of wanted requests that were not seen in the CRM yet. Grain: one row a CRM contact.
SELECT DISTINCT wanted.contact_id
FROM wanted_membership AS wanted
LEFT JOIN ctct_link AS link ON wanted.contact_id = link.contact_id
WHERE link.contact_id IS NULL;
