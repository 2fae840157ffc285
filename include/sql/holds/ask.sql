-- A person is asked about a hold. Parameters: hold_id. Grain: one row, if the hold has no answer.
UPDATE ctct_hold
SET asked_at = coalesce(asked_at, clock_timestamp())
WHERE hold_id = %(hold_id)s AND answer IS NULL
RETURNING noun, detail, held_at;
