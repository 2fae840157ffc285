-- The calls that were sent and are not decided, and how long ago.
-- Parameters: kinds (array). Grain: one row a call.
SELECT
    bulk_id,
    kind,
    list_ids,
    state,
    contacts,
    activity_id,
    is_adopted,
    adds_up,
    vendor_state,
    error,
    extract(EPOCH FROM clock_timestamp() - sent_at)::double precision AS age_s
FROM ctct_bulk_activity
WHERE state IN ('sending', 'queued', 'ended') AND kind = any(%(kinds)s)
ORDER BY bulk_id;
