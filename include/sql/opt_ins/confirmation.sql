-- When the confirmation mail was asked for. Parameters: constant_contact_id.
-- Grain: one row, or none.
SELECT asked_at
FROM ctct_confirmation
WHERE constant_contact_id = %(constant_contact_id)s;
