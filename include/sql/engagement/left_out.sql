-- Of which erased contacts the staged page has events, which are left out.
-- Grain: one row a contact.
SELECT DISTINCT staged.contact_id
FROM staged_event AS staged
INNER JOIN ctct_erased AS erased ON staged.contact_id = erased.constant_contact_id;
