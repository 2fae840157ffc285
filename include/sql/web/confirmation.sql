-- The confirmation mail of a contact, which is sent once ever. Parameters: constant_contact_id.
-- Grain: one row, or none if it was never asked for.
SELECT
    asked_at,
    asked_by,
    answer
FROM ctct_confirmation
WHERE constant_contact_id = %(constant_contact_id)s;
