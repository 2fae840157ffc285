-- Keep that every opt-out is refused on the way; one is tried again when as long has passed again,
-- after 5 to 30 minutes. Parameters: said. Grain: one row.
INSERT INTO ctct_write_block AS known (said, since, next_at)
VALUES (%(said)s, clock_timestamp(), clock_timestamp() + INTERVAL '5 minutes')
ON CONFLICT (is_the_one) DO UPDATE
    SET
        said = excluded.said,
        next_at = excluded.since + least(
            greatest(excluded.since - known.since, INTERVAL '5 minutes'), INTERVAL '30 minutes'
        )
RETURNING
    since,
    next_at;
