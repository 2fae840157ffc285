-- Keep why a stream cannot be read; it is asked again a day later.
-- Parameters: stream_id, failure. Grain: one row.
UPDATE ctct_engagement_stream
SET failure = %(failure)s, failed_at = clock_timestamp()
WHERE stream_id = %(stream_id)s;
