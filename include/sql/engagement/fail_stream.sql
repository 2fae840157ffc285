-- Keep why a stream cannot be read; it is not read again until a person asks for all.
-- Parameters: stream_id, failure. Grain: one row.
UPDATE ctct_engagement_stream SET failure = %(failure)s
WHERE stream_id = %(stream_id)s;
