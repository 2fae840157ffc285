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
