-- A choice that is about to be requested; it is ours to the transaction's end.
-- Parameters: choice_id. Grain: one row, or none.
SELECT
    list_id,
    action,
    unknown,
    submitted_at,
    report
FROM ctct_choice
WHERE choice_id = %(choice_id)s
FOR UPDATE;
