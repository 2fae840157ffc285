-- Take the pending requests that are not on their way. Grain: one row a request.
INSERT INTO wanted_membership (contact_id, list_id, action, requested_at)
SELECT
    membership.contact_id,
    membership.list_id,
    membership.action,
    membership.requested_at
FROM crm_list_membership AS membership
WHERE
    membership.status = 'pending'
    AND NOT EXISTS (
        SELECT FROM ctct_bulk_activity_row AS carried
        INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
        WHERE
            carried.contact_id = membership.contact_id
            AND carried.list_id = membership.list_id
            AND activity.state <> 'done'
    );
