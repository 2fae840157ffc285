-- Add the staged page of a tracker report to the ledger. Parameters: stream_id.
-- Grain: one row an event; those that the ledger has are left as they are, and those of people who
-- were erased are left out.
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
FROM staged_event
WHERE
    NOT EXISTS (
        SELECT FROM ctct_erased AS erased
        WHERE erased.constant_contact_id = staged_event.contact_id
    )
ON CONFLICT (contact_id, stream_id, occurred_at, url_id, ordinal) DO NOTHING;
