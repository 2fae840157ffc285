-- The database's clock, which all workers share. Grain: one row.
SELECT clock_timestamp() AS now;
