-- Let others read a stream. Parameters: stream_id. Grain: one row.
SELECT pg_advisory_unlock(726351 + ctct_account_key(), %(stream_id)s);
