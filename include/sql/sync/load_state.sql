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
