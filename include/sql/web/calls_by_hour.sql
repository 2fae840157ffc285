-- API calls of the last hours. Parameters: hours.
-- Grain: one row a clock hour, also one without a call, the oldest first; the last one is not over.
WITH hour AS (
    SELECT generate_series(
        date_trunc('hour', clock_timestamp()) - make_interval(hours => %(hours)s - 1),
        date_trunc('hour', clock_timestamp()),
        INTERVAL '1 hour'
    ) AS starts_at
)

SELECT
    hour.starts_at,
    made.calls
FROM hour
CROSS JOIN
    LATERAL (
        SELECT count(*) AS calls
        FROM ctct_api_call AS call
        WHERE
            call.called_at >= hour.starts_at
            AND call.called_at < hour.starts_at + INTERVAL '1 hour'
    ) AS made
ORDER BY hour.starts_at ASC;
