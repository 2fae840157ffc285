-- How old the vendor's day is, by the database's clock.
-- Grain: one row.
SELECT
    clock_timestamp() AS now,
    clock_timestamp()
    - date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS since_midnight;
