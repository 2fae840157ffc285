-- Wait for a stream's reader, then be it. Parameters: stream_id. Grain: one row, as claim_stream.
SELECT pg_advisory_lock(726351 + ctct_account_key(), %(stream_id)s);
