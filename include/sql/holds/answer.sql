-- Keep a person's answer to what the circuit breakers hold; the first one counts.
-- Parameters: noun, hold_id, answer, answered_by. Grain: one row a hold.
UPDATE ctct_hold
SET
    answer = %(answer)s,
    answered_at = clock_timestamp(),
    answered_by = %(answered_by)s
WHERE answer IS NULL AND noun = %(noun)s AND hold_id = %(hold_id)s;
