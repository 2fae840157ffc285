-- Become the one reader of a stream, unless another is. Parameters: stream_id.
-- Grain: one row; held until it is released or the session ends.
SELECT pg_try_advisory_lock(726351 + ctct_account_key(), %(stream_id)s) AS claimed;
