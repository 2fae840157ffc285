-- Keep how far a stream is read; commits with the page. Parameters: each column; stream_id;
-- added (events of this page that were new, to the count that others may add to as well).
-- Grain: one row, the count.
UPDATE ctct_engagement_stream
SET
    read_count = %(read_count)s,
    stored_count = stored_count + %(added)s,
    covered_from = %(covered_from)s,
    covered_to = %(covered_to)s,
    head_cursor = %(head_cursor)s,
    head_started_at = %(head_started_at)s,
    tail_cursor = %(tail_cursor)s,
    shortfall = %(shortfall)s,
    malformed_count = %(malformed_count)s,
    left_out_count = %(left_out_count)s,
    failure = NULL,
    failed_at = NULL,
    no_report_since = NULL,
    mirrored_at = clock_timestamp()
WHERE stream_id = %(stream_id)s
RETURNING stored_count;
