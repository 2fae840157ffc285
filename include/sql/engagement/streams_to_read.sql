-- Which streams have something to read: never read and not known to be empty, counted otherwise
-- than when last read, left in mid-read, or not read as far back as is wanted.
-- Parameters: since (null: to the beginning), reread (true: all). Grain: one row a stream.
SELECT
    stream_id,
    campaign_activity_id,
    activity_type,
    reported_count,
    read_count,
    stored_count,
    covered_from,
    covered_to,
    head_cursor,
    head_started_at,
    tail_cursor,
    shortfall
FROM ctct_engagement_stream
WHERE
    %(reread)s
    OR (
        failure IS NULL
        AND (
            (covered_to IS NULL AND reported_count IS DISTINCT FROM 0)
            OR (covered_to IS NOT NULL AND reported_count IS DISTINCT FROM read_count)
            OR head_cursor IS NOT NULL
            OR (
                tail_cursor IS NOT NULL
                AND (%(since)s::timestamptz IS NULL OR covered_from > %(since)s::timestamptz)
            )
        )
    )
ORDER BY stream_id;
