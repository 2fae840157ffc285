-- name: standing
-- Whether a run has found that every opt-out is refused on the way, and none has passed since.
-- Grain: one row.
SELECT exists(SELECT FROM ctct_write_block) AS is_standing;

-- name: keep
-- Keep that every opt-out is refused on the way; one is tried again when as long has passed again,
-- after 5 to 30 minutes. Parameters: said. Grain: one row.
INSERT INTO ctct_write_block AS known (said, since, next_at)
VALUES (%(said)s, clock_timestamp(), clock_timestamp() + interval '5 minutes')
ON CONFLICT (is_the_one) DO UPDATE
    SET
        said = excluded.said,
        next_at = excluded.since + least(
            greatest(excluded.since - known.since, interval '5 minutes'), interval '30 minutes'
        )
RETURNING
    since,
    next_at;

-- name: end
-- Take note that an opt-out has passed. Grain: one row, or none.
DELETE FROM ctct_write_block;
