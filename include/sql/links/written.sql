-- Remember what the CRM's own column has now. Grain: one row a CRM contact.
UPDATE ctct_link AS link
SET written_id = changed.constant_contact_id
FROM changed_link AS changed
WHERE link.contact_id = changed.contact_id;
