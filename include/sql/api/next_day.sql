-- When the vendor's day begins anew, by the database's clock, and how old this one is.
-- Grain: one row.
SELECT
    clock_timestamp() AS now,
    date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    + INTERVAL '1 day' AS next_day_utc,
    clock_timestamp()
    - date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS since_midnight;
