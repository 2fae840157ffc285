-- What the vendor answered. Parameters: constant_contact_id, answer. Grain: one row.
UPDATE ctct_confirmation
SET answer = %(answer)s
WHERE constant_contact_id = %(constant_contact_id)s;
