-- name: ask
-- A person is asked about a hold. Parameters: hold_id. Grain: one row, if the hold has no answer.
UPDATE ctct_hold
SET asked_at = coalesce(asked_at, clock_timestamp())
WHERE hold_id = %(hold_id)s AND answer IS NULL
RETURNING noun, detail, held_at;

-- name: look
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

-- name: kept_answer
-- The answer that a person gave about a hold; it is ours to the transaction's end.
-- Parameters: hold_id. Grain: one row; `answer` is null before anybody answered.
SELECT
    noun,
    answer,
    answered_at
FROM ctct_hold
WHERE hold_id = %(hold_id)s
FOR UPDATE;

-- name: unanswered
-- Holds that no person has answered yet. Parameters: nouns. Grain: one row a hold.
SELECT hold_id
FROM ctct_hold
WHERE noun = any(%(nouns)s) AND answer IS NULL
ORDER BY hold_id;

-- name: remind
-- Holds of what contacts asked for themselves that wait for more than a day since the last
-- alarm; they alarm again now. Parameters: nouns. Grain: one row a hold.
UPDATE ctct_hold AS hold
SET reminded_at = clock_timestamp()
WHERE
    hold.noun = any(%(nouns)s)
    AND hold.answer IS NULL
    AND coalesce(hold.reminded_at, hold.held_at) < clock_timestamp() - interval '1 day'
    AND EXISTS (
        SELECT FROM crm_opt_out_change AS change
        WHERE
            change.hold_id = hold.hold_id
            AND change.status = 'held'
            AND change.do_not_email
            AND change.requested_by_contact
    )
RETURNING hold.hold_id;

-- name: answer
-- Keep a person's answer to what the circuit breakers hold; the first one counts.
-- Parameters: hold_id, answer, answered_by. Grain: one row a hold.
UPDATE ctct_hold
SET
    answer = %(answer)s,
    answered_at = clock_timestamp(),
    answered_by = %(answered_by)s
WHERE answer IS NULL AND hold_id = %(hold_id)s;
