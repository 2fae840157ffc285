-- Keep the answers that need no call; of requests that were not made again meanwhile.
-- Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = routed.route,
    detail = routed.detail,
    processed_at = clock_timestamp()
FROM routed_membership AS routed
WHERE
    routed.route IN ('done', 'rejected', 'failed')
    AND membership.contact_id = routed.contact_id
    AND membership.list_id = routed.list_id
    AND membership.status = 'pending'
    AND membership.action = routed.action
    AND membership.requested_at = routed.requested_at;
