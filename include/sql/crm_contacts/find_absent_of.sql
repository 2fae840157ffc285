-- As `find_absent`, after only some were read. Parameters: contact_ids. Grain: one row a contact.
INSERT INTO absent_contact (contact_id)
SELECT link.contact_id
FROM ctct_link AS link
LEFT JOIN read_contact AS read ON link.contact_id = read.contact_id
WHERE
    link.contact_id = any(%(contact_ids)s::text[])
    AND read.contact_id IS NULL
    AND link.absence_hold_id IS NULL;
