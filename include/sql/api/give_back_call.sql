-- A caller missed its turn and makes no call in it: the day has one more.
-- Parameters: api_key_digest. Grain: one row.
UPDATE ctct_api_budget
SET calls = greatest(calls - 1, 0)
WHERE
    api_key_digest = %(api_key_digest)s
    AND day_utc = (clock_timestamp() AT TIME ZONE 'UTC')::date;
