-- Stops of the circuit breaker, those without an answer first. Parameters: nouns.
-- Grain: one row a stop, at most 20.
SELECT
    hold_id,
    held_at,
    detail,
    asked_at,
    answer,
    answered_at,
    answered_by
FROM ctct_hold
WHERE noun = any(%(nouns)s)
ORDER BY answer IS NOT NULL, hold_id DESC
LIMIT 20;
