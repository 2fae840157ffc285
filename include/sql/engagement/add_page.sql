-- Add one page of a tracker report to the ledger. Parameters: stream_id; arrays, one a column of
-- EventRecord. Grain: one row an event; those that the ledger has are left as they are.
INSERT INTO ctct_engagement (
    stream_id, ordinal, occurred_at, contact_id, url_id, link_url, device_type, bounce_code,
    opt_out_reason
)
SELECT
    %(stream_id)s,
    ordinal,
    occurred_at,
    contact_id,
    url_id,
    link_url,
    device_type,
    bounce_code,
    opt_out_reason
FROM
    unnest(
        %(contact_id)s::text[], %(occurred_at)s::timestamptz[], %(url_id)s::text[],
        %(ordinal)s::smallint[], %(link_url)s::text[], %(device_type)s::text[],
        %(bounce_code)s::text[], %(opt_out_reason)s::text[]
    )
        AS page (
            contact_id,
            occurred_at,
            url_id,
            ordinal,
            link_url,
            device_type,
            bounce_code,
            opt_out_reason
        )
ON CONFLICT (contact_id, stream_id, occurred_at, url_id, ordinal) DO NOTHING;
