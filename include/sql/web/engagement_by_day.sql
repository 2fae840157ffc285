-- Events of the last days by type. Parameters: days.
-- Grain: one row a UTC day, also one without an event, the oldest first; `events` by type.
WITH clock AS (
    SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today
),

counted AS (
    SELECT
        of_stream.day_utc,
        stream.activity_type,
        sum(of_stream.events) AS events
    FROM ctct_engagement_day AS of_stream
    INNER JOIN ctct_engagement_stream AS stream ON of_stream.stream_id = stream.stream_id
    CROSS JOIN clock
    WHERE
        of_stream.day_utc > clock.today - %(days)s::integer
        AND of_stream.day_utc <= clock.today
    GROUP BY of_stream.day_utc, stream.activity_type
)

SELECT
    clock.today - past.days_ago AS day_utc,
    coalesce(
        (
            SELECT jsonb_object_agg(counted.activity_type, counted.events)
            FROM counted
            WHERE counted.day_utc = clock.today - past.days_ago
        ),
        '{}'
    ) AS events
FROM clock
CROSS JOIN generate_series(0, %(days)s::integer - 1) AS past (days_ago)
ORDER BY day_utc ASC;
