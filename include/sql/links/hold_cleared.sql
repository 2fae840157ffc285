-- Too many links would be cleared at once: a person is asked. Parameters: detail.
-- Grain: one row a CRM contact.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('links', %(detail)s)
    RETURNING hold_id
)

UPDATE ctct_link AS link
SET link_hold_id = hold.hold_id
FROM hold, wanted_link AS wanted
WHERE wanted.new_id IS NULL AND link.contact_id = wanted.contact_id;
