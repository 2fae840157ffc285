-- Leave all contacts out of a choice, or take all in again. Parameters: choice_id, is_left_out.
-- Grain: one row a contact that changes.
UPDATE ctct_choice_contact
SET is_left_out = %(is_left_out)s
WHERE choice_id = %(choice_id)s AND is_left_out <> %(is_left_out)s;
