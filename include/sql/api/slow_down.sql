-- The vendor throttled: nobody calls for a second, what was promised moves behind it, and what was
-- thought of the network is forgotten. Parameters: api_key_digest. Grain: one row.
UPDATE ctct_api_budget
SET
    next_call_at = greatest(next_call_at, clock_timestamp()) + INTERVAL '1 second',
    samples = 0
WHERE api_key_digest = %(api_key_digest)s;
