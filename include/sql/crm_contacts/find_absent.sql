-- Contacts that were seen before, were not read now, and wait for no answer; after all were read.
-- Grain: one row a contact.
INSERT INTO absent_contact (contact_id)
SELECT link.contact_id
FROM ctct_link AS link
LEFT JOIN read_contact AS read ON link.contact_id = read.contact_id
WHERE read.contact_id IS NULL AND link.absence_hold_id IS NULL;
