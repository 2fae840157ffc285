-- One stop of the circuit breaker as it stands. Parameters: hold_id. Grain: one row, or none.
SELECT
    noun,
    detail,
    held_at,
    answer,
    answered_at,
    answered_by
FROM ctct_hold
WHERE hold_id = %(hold_id)s;
