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
