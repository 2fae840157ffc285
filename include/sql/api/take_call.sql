-- Hand out the next call of an API key: the one statement behind every call.
-- Paces evenly at the plan's rate and counts the UTC day, by the database's clock.
-- Parameters: api_key_digest, day_limit (calls of the day that this lane may reach), spacing_s.
-- Grain: one row, `wait_s` until the call's turn; no row: the day is spent for this lane.
WITH clock AS (
    SELECT
        (clock_timestamp() AT TIME ZONE 'UTC')::date AS today,
        make_interval(secs => %(spacing_s)s) AS spacing
)

INSERT INTO ctct_api_budget AS budget (api_key_digest, day_utc, calls, next_call_at)
SELECT
    %(api_key_digest)s,
    today,
    1,
    clock_timestamp() + spacing
FROM clock
ON CONFLICT (api_key_digest) DO UPDATE
    SET
        day_utc = excluded.day_utc,
        calls = CASE WHEN budget.day_utc = excluded.day_utc THEN budget.calls + 1 ELSE 1 END,
        next_call_at = greatest(budget.next_call_at, clock_timestamp())
        + make_interval(secs => %(spacing_s)s)
    WHERE
    budget.spent_day_utc IS DISTINCT FROM excluded.day_utc
    AND (budget.day_utc <> excluded.day_utc OR budget.calls < %(day_limit)s)
RETURNING
    extract(
        EPOCH FROM budget.next_call_at - clock_timestamp()
    ) - %(spacing_s)s AS wait_s;
