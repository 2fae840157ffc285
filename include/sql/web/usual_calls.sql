-- What the forecast of the day's calls rests on: the hour that ends now, and the hours that are
-- left of the UTC day, each with the calls of the same hour on the days before.
-- Parameters: days (how many days before to look at, as far as the log reaches back).
-- Grain: one row an hour, the one that ends now first; the last one ends at midnight. `calls`: of
-- the hour that ends now, null of those to come; `usual_calls`: of a day, null if there is none.
WITH clock AS (
    SELECT
        statement_timestamp() AS now,
        (date_trunc('day', statement_timestamp() AT TIME ZONE 'UTC') + INTERVAL '1 day')
        AT TIME ZONE 'UTC' AS midnight
),

log AS (
    SELECT
        greatest(
            0,
            least(
                -- NULL where there is no call at all, which is no day either.
                coalesce(
                    floor(
                        extract(EPOCH FROM clock.now - INTERVAL '1 hour' - oldest.called_at) / 86400
                    ),
                    0
                ),
                %(days)s
            )
        )::INTEGER AS days
    FROM clock
    CROSS JOIN (SELECT min(called_at) AS called_at FROM ctct_api_call) AS oldest
),

hour AS (
    SELECT
        clock.now,
        slot.starts_at,
        least(slot.starts_at + INTERVAL '1 hour', clock.midnight) AS ends_at
    FROM clock
    CROSS JOIN
        LATERAL generate_series(
            clock.now - INTERVAL '1 hour',
            clock.midnight - INTERVAL '1 microsecond',
            INTERVAL '1 hour'
        ) AS slot (starts_at)
)

SELECT
    hour.now,
    hour.starts_at,
    hour.ends_at,
    log.days,
    usual.calls / nullif(log.days, 0)::DOUBLE PRECISION AS usual_calls,
    CASE
        WHEN hour.starts_at < hour.now
            THEN
                (
                    SELECT count(*) FROM ctct_api_call AS call
                    WHERE call.called_at >= hour.starts_at AND call.called_at < hour.ends_at
                )
    END AS calls
FROM hour
CROSS JOIN log
CROSS JOIN
    LATERAL (
        SELECT count(*) AS calls
        FROM generate_series(1, log.days) AS past (days_ago)
        INNER JOIN
            ctct_api_call AS call
            ON
                call.called_at >= hour.starts_at - make_interval(days => past.days_ago)
                AND call.called_at < hour.ends_at - make_interval(days => past.days_ago)
    ) AS usual
ORDER BY hour.starts_at ASC;
