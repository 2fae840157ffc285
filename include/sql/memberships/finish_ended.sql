-- Decide the requests of ended calls: done where the counters say that all went through, or the
-- mirror that this one did. A request that was made again meanwhile is not touched.
-- Grain: one row: how many requests are done by kind of call, and contacts that are new.
WITH finished AS (
    UPDATE crm_list_membership AS membership
    SET
        status = 'done',
        processed_at = clock_timestamp(),
        detail = CASE activity.kind
            WHEN 'add' THEN 'Put on the list.'
            WHEN 'remove' THEN 'Taken off the list.'
            ELSE 'Created at Constant Contact and put on the list.'
        END
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    LEFT JOIN ctct_contact AS by_id ON carried.target = by_id.contact_id
    LEFT JOIN ctct_contact AS by_address
        ON carried.target = by_address.email_key AND by_address.deleted_at IS NULL
    WHERE
        activity.state = 'ended'
        AND activity.kind IN ('add', 'remove', 'import')
        AND membership.contact_id = carried.contact_id
        AND membership.list_id = carried.list_id
        AND membership.status = 'pending'
        AND membership.action = carried.action
        AND membership.requested_at = carried.requested_at
        AND (
            activity.adds_up
            OR CASE activity.kind
                WHEN 'add' THEN carried.list_id = any(by_id.list_ids)
                -- Only a mirror that is newer than the call shows that it took somebody off.
                WHEN 'remove'
                    THEN
                        activity.vendor_state = 'completed'
                        AND by_id.mirrored_at > activity.sent_at
                        AND NOT carried.list_id = any(by_id.list_ids)
                ELSE carried.list_id = any(by_address.list_ids)
            END
        )
    RETURNING activity.kind, carried.target
)

SELECT
    count(*) FILTER (WHERE kind IN ('add', 'import')) AS added,
    count(*) FILTER (WHERE kind = 'remove') AS removed,
    count(DISTINCT target) FILTER (WHERE kind = 'import') AS created
FROM finished;
