-- When the vendor's day begins anew, by the database's clock. Grain: one row.
SELECT
    date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    + INTERVAL '1 day' AS next_day_utc;
