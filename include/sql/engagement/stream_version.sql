-- Whether a stream is still as it was read. Parameters: stream_id, version. Grain: one row.
SELECT xmin::text = %(version)s AS is_unchanged
FROM ctct_engagement_stream
WHERE stream_id = %(stream_id)s;
