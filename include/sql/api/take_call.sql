-- Hand out the next call of an API key: the one statement behind every call.
-- Paces evenly at the plan's rate and counts the UTC day, by the database's clock. The spacing
-- leaves room for the network's jitter, as far as the durations of the last calls tell it.
-- Parameters: api_key_digest, day_limit (calls of the day that this lane may reach), calls_per_day,
-- calls_per_second, ahead_s (how long the queue may be for this lane to join it), duration_s (of a
-- call made since the last turn; null: none).
-- Grain: one row: `wait_s` until the call's turn, or, where `is_busy`, until the lane should ask
-- again; no row: the day is spent for this lane.
WITH slot AS (
    INSERT INTO ctct_api_budget AS budget (
        api_key_digest, day_utc, calls, spacing_s, next_call_at, samples, fastest_s, slowest_s
    )
    SELECT
        %(api_key_digest)s,
        (clock_timestamp() AT TIME ZONE 'UTC')::date,
        1,
        spacing_s,
        clock_timestamp() + make_interval(secs => spacing_s),
        0,
        NULL,
        NULL
    FROM (SELECT ctct_call_spacing_s(%(calls_per_second)s, 0, NULL, NULL) AS spacing_s) AS new
    WHERE %(day_limit)s > 0
    ON CONFLICT (api_key_digest) DO UPDATE
        SET
            day_utc = excluded.day_utc,
            calls = CASE WHEN budget.day_utc = excluded.day_utc THEN budget.calls + 1 ELSE 1 END,
            spacing_s = ctct_call_spacing_s(
                %(calls_per_second)s, budget.samples, budget.fastest_s, budget.slowest_s
            ),
            next_call_at = greatest(budget.next_call_at, clock_timestamp())
            + make_interval(
                secs => ctct_call_spacing_s(
                    %(calls_per_second)s, budget.samples, budget.fastest_s, budget.slowest_s
                )
            ),
            samples = least(budget.samples + (%(duration_s)s::real IS NOT NULL)::integer, 1000),
            -- Either extreme gives way by a hundredth of the span a call: a hundred are remembered.
            fastest_s = least(
                %(duration_s)s::real,
                budget.fastest_s + (budget.slowest_s - budget.fastest_s) / 100
            ),
            slowest_s = greatest(
                %(duration_s)s::real,
                budget.slowest_s - (budget.slowest_s - budget.fastest_s) / 100
            )
        WHERE
        (
            budget.spent_day_utc IS DISTINCT FROM excluded.day_utc
            OR budget.spent_calls_per_day < %(calls_per_day)s
        )
        AND (budget.day_utc <> excluded.day_utc OR budget.calls < %(day_limit)s)
        AND budget.next_call_at <= clock_timestamp() + make_interval(secs => %(ahead_s)s)
    RETURNING
        extract(EPOCH FROM budget.next_call_at - clock_timestamp()) - budget.spacing_s AS wait_s
)

SELECT
    wait_s,
    FALSE AS is_busy
FROM slot
UNION ALL
SELECT
    coalesce(
        extract(EPOCH FROM budget.next_call_at - clock_timestamp()) - %(ahead_s)s, 0
    ) AS wait_s,
    TRUE AS is_busy
FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today) AS clock
-- A row that somebody else is making at this moment is not to be seen yet.
LEFT JOIN ctct_api_budget AS budget ON budget.api_key_digest = %(api_key_digest)s
WHERE
    NOT EXISTS (SELECT FROM slot)
    AND %(day_limit)s > 0
    AND (
        budget.spent_day_utc IS DISTINCT FROM clock.today
        OR budget.spent_calls_per_day < %(calls_per_day)s
    )
    AND (budget.day_utc IS DISTINCT FROM clock.today OR budget.calls < %(day_limit)s);
