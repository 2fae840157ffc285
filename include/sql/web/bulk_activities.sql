-- Calls that change memberships: those that the vendor works on, then those that ended last.
-- Grain: one row a call, at most 20.
SELECT
    activity.bulk_id,
    activity.kind,
    activity.state,
    activity.contacts,
    activity.activity_id,
    activity.sent_at,
    activity.ended_at,
    activity.vendor_state,
    activity.counts,
    activity.error,
    array(
        SELECT coalesce(list.name, named.list_id) AS name
        FROM unnest(activity.list_ids) AS named (list_id)
        LEFT JOIN ctct_list AS list ON named.list_id = list.list_id
        ORDER BY name
        LIMIT 5
    ) AS lists,
    activity.state <> 'done' AS goes_on
FROM ctct_bulk_activity AS activity
ORDER BY activity.state = 'done', activity.bulk_id DESC
LIMIT 20;
