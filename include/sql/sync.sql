-- name: load_state
-- How far the reading of a noun has come. Parameters: noun. Grain: one row or none.
SELECT
    covered_to,
    full_pass_at,
    reading,
    reading_since,
    reading_from,
    cursor,
    rows_read,
    newest,
    position,
    first_total,
    most_total
FROM ctct_sync_state
WHERE noun = %(noun)s;

-- name: save_state
-- Keep how far the reading of a noun has come. Parameters: noun and each column. Grain: one row.
INSERT INTO ctct_sync_state (
    noun, covered_to, full_pass_at, reading, reading_since, reading_from, cursor, rows_read,
    newest, position, first_total, most_total
)
VALUES (
    %(noun)s, %(covered_to)s, %(full_pass_at)s, %(reading)s, %(reading_since)s, %(reading_from)s,
    %(cursor)s, %(rows_read)s, %(newest)s, %(position)s,
    %(first_total)s, %(most_total)s
)
ON CONFLICT (noun) DO UPDATE SET
    covered_to = excluded.covered_to,
    full_pass_at = excluded.full_pass_at,
    reading = excluded.reading,
    reading_since = excluded.reading_since,
    reading_from = excluded.reading_from,
    cursor = excluded.cursor,
    rows_read = excluded.rows_read,
    newest = excluded.newest,
    position = excluded.position,
    first_total = excluded.first_total,
    most_total = excluded.most_total;

-- name: now
-- The database's clock, which all workers share. Grain: one row.
SELECT clock_timestamp() AS now;
