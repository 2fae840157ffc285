-- Let others read a stream. Parameters: stream_id. Grain: one row.
SELECT pg_advisory_unlock(726351, %(stream_id)s);
