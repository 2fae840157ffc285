-- The answer that a person gave about a hold; it is ours to the transaction's end.
-- Parameters: hold_id. Grain: one row; `answer` is null before anybody answered.
SELECT
    answer,
    answered_at
FROM ctct_hold
WHERE hold_id = %(hold_id)s
FOR UPDATE;
