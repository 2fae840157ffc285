-- Too many contacts are absent at once: none has left until a person agrees. Parameters: detail.
-- Grain: one row a contact.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('crm_contacts', %(detail)s)
    RETURNING hold_id
)

UPDATE ctct_link AS link
SET absence_hold_id = hold.hold_id
FROM hold, absent_contact AS absent
WHERE link.contact_id = absent.contact_id;
