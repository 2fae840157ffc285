-- Where a page of events is copied before it is added; one a connection, empty at commit.
-- Grain: one row of EventRecord, columns in its order.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_event (
    contact_id text,
    occurred_at timestamptz,
    url_id text,
    ordinal smallint,
    link_url text,
    device_type text,
    bounce_code text,
    opt_out_reason text
) ON COMMIT DELETE ROWS;
