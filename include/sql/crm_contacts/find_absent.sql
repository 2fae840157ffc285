-- Contacts that were seen before and are not in the CRM now. Grain: one row a contact.
WITH absent AS (
    DELETE FROM read_contact
    WHERE is_absent
    RETURNING contact_id
)

INSERT INTO absent_contact (contact_id)
SELECT contact_id FROM absent;
