-- Whom to ask after: contacts of ended calls that add or remove, where neither the counters nor a
-- mirror that is newer than the call's end says what became of them: what was mirrored while the
-- vendor worked on it may show the lists of before. Grain: one row a contact of the vendor.
SELECT DISTINCT carried.target
FROM ctct_bulk_activity AS activity
INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
INNER JOIN ctct_contact AS mirrored ON carried.target = mirrored.contact_id
WHERE
    activity.state = 'ended'
    AND activity.kind IN ('add', 'remove')
    AND activity.vendor_state = 'completed'
    AND NOT coalesce(activity.adds_up, FALSE)
    AND mirrored.mirrored_at <= activity.ended_at
    AND mirrored.deleted_at IS NULL
ORDER BY carried.target;
