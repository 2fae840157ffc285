-- The vendor throttled: nobody calls for a second, and what was promised moves behind it.
-- Parameters: api_key_digest. Grain: one row of ctct_api_budget.
UPDATE ctct_api_budget
SET next_call_at = greatest(next_call_at, clock_timestamp()) + INTERVAL '1 second'
WHERE api_key_digest = %(api_key_digest)s;
