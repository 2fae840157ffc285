-- Keep why a stream cannot be read, and since when the vendor says that there is no such report.
-- Parameters: stream_id, failure, has_no_report (the vendor's own words; a gateway's or a broken
-- reply are none), is_unexpected (an error of ours). Grain: one row.
UPDATE ctct_engagement_stream
SET
    failure = %(failure)s,
    failed_at = clock_timestamp(),
    is_unexpected = %(is_unexpected)s,
    no_report_since = CASE
        WHEN %(has_no_report)s THEN coalesce(no_report_since, clock_timestamp())
    END
WHERE stream_id = %(stream_id)s;
