-- name: add_calls
-- Keep API calls. Parameters: arrays, one a column; dag_id, task_id, run_id,
-- try_number, map_index.
-- Grain: one row a call.
INSERT INTO ctct_api_call (
    called_at, dag_id, task_id, run_id, try_number, map_index, method, path, status, error_key,
    error_message, items, reply_bytes, duration_ms, waited_ms, request_id, tracking_id, reply_body
)
SELECT
    called_at,
    %(dag_id)s,
    %(task_id)s,
    %(run_id)s,
    %(try_number)s,
    %(map_index)s,
    method,
    path,
    status,
    error_key,
    error_message,
    items,
    reply_bytes,
    duration_ms,
    waited_ms,
    request_id,
    tracking_id,
    reply_body
FROM unnest(
    %(called_at)s::timestamptz[], %(method)s::text[], %(path)s::text[], %(status)s::integer[],
    %(error_key)s::text[], %(error_message)s::text[], %(items)s::integer[],
    %(reply_bytes)s::integer[], %(duration_ms)s::integer[], %(waited_ms)s::integer[],
    %(request_id)s::text[], %(tracking_id)s::text[], %(reply_body)s::text[]
) AS call (
    called_at, method, path, status, error_key, error_message, items, reply_bytes, duration_ms,
    waited_ms, request_id, tracking_id, reply_body
);

-- name: day
-- What an API key has used of the UTC day, and whether the vendor calls the day spent.
-- Parameters: api_key_digest, calls_per_day (the setting, as it is).
-- Grain: one row, also before the first call.
SELECT
    coalesce(budget.calls, 0) AS calls,
    coalesce(spent.is_spent, FALSE) AS is_spent,
    (clock.today + 1)::timestamp AT TIME ZONE 'UTC' AS next_day_utc
FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today) AS clock
LEFT JOIN
    ctct_api_budget AS budget
    ON budget.api_key_digest = %(api_key_digest)s AND clock.today = budget.day_utc
LEFT JOIN
    LATERAL (
        SELECT TRUE AS is_spent
        FROM ctct_api_budget AS vendor
        WHERE
            vendor.api_key_digest = %(api_key_digest)s
            AND clock.today = vendor.spent_day_utc
            AND (vendor.spent_calls_per_day < %(calls_per_day)s) IS NOT TRUE
    ) AS spent
    ON TRUE;

-- name: take_call
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
-- A row that another session is making at this moment is not to be seen yet.
LEFT JOIN ctct_api_budget AS budget ON budget.api_key_digest = %(api_key_digest)s
WHERE
    NOT EXISTS (SELECT FROM slot)
    AND %(day_limit)s > 0
    AND (
        budget.spent_day_utc IS DISTINCT FROM clock.today
        OR budget.spent_calls_per_day < %(calls_per_day)s
    )
    AND (budget.day_utc IS DISTINCT FROM clock.today OR budget.calls < %(day_limit)s);

-- name: give_back_call
-- A caller missed its turn and makes no call in it: the day has one more.
-- Parameters: api_key_digest. Grain: one row.
UPDATE ctct_api_budget
SET calls = greatest(calls - 1, 0)
WHERE
    api_key_digest = %(api_key_digest)s
    AND day_utc = (clock_timestamp() AT TIME ZONE 'UTC')::date;

-- name: slow_down
-- The vendor throttled: no call for a second, promised slots move behind it, and what was measured
-- of the network is forgotten. Parameters: api_key_digest. Grain: one row.
UPDATE ctct_api_budget
SET
    next_call_at = greatest(next_call_at, clock_timestamp()) + interval '1 second',
    samples = 0
WHERE api_key_digest = %(api_key_digest)s;

-- name: clock
-- How old the vendor's day is, by the database's clock.
-- Grain: one row.
SELECT
    clock_timestamp() AS now,
    clock_timestamp()
    - date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS since_midnight;

-- name: spend_day
-- The vendor says the day's calls are spent: others use the key too.
-- Parameters: api_key_digest, calls_per_day (the setting, as it is).
-- Grain: one row of ctct_api_budget.
INSERT INTO ctct_api_budget (
    api_key_digest, day_utc, calls, spacing_s, next_call_at, samples,
    spent_day_utc, spent_calls_per_day
)
SELECT
    %(api_key_digest)s,
    today,
    0,
    1,
    clock_timestamp(),
    0,
    today,
    %(calls_per_day)s
FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today) AS clock
ON CONFLICT (api_key_digest) DO UPDATE SET
    spent_day_utc = excluded.spent_day_utc,
    spent_calls_per_day = excluded.spent_calls_per_day;

-- name: add_token_row
-- Make the row that refreshes of a connection's tokens wait for. Parameters: conn_id.
-- Grain: one row.
INSERT INTO ctct_token (conn_id) VALUES (%(conn_id)s) ON CONFLICT DO NOTHING;

-- name: wait_for_token
-- Wait for a token's row, and then hold it, longer than the session's limits let others of its
-- transactions. Parameters: wait, such as 20s. Grain: one row.
SELECT
    set_config('lock_timeout', %(wait)s, TRUE),
    set_config('statement_timeout', %(wait)s, TRUE),
    -- A person's grant is redeemed, tried and stored meanwhile.
    set_config('idle_in_transaction_session_timeout', '2min', TRUE);

-- name: lock_token
-- Wait for our turn to refresh a connection's tokens. Parameters: conn_id. Grain: one row.
SELECT conn_id FROM ctct_token
WHERE conn_id = %(conn_id)s FOR UPDATE;

-- name: count_refresh
-- Keep when a connection's tokens were refreshed. Parameters: conn_id. Grain: one row.
UPDATE ctct_token
SET refreshed_at = clock_timestamp(), refresh_count = refresh_count + 1
WHERE conn_id = %(conn_id)s;

-- name: forget_calls
-- Forget API calls that are older than the log is kept, some at a time; by an array, so that no
-- plan reads the others. Parameters: days, most. Grain: one row a call.
DELETE FROM ctct_api_call
WHERE call_id = any(
    array(
        SELECT call_id
        FROM ctct_api_call
        WHERE called_at < clock_timestamp() - make_interval(days => %(days)s)
        ORDER BY called_at
        LIMIT %(most)s
    )
);
