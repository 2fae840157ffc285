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
