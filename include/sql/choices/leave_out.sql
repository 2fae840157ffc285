-- Leave contacts out of a choice, or take them in again.
-- Parameters: choice_id, shown (array of ids), ticked (array: those of them to take in).
-- Grain: one row a contact that changes.
UPDATE ctct_choice_contact
SET is_left_out = contact_id <> all(%(ticked)s::text[])
WHERE
    choice_id = %(choice_id)s
    AND contact_id = any(%(shown)s::text[])
    AND is_left_out = (contact_id = any(%(ticked)s::text[]));
