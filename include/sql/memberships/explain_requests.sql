-- Say why the requests of a call wait on. Parameters: bulk_id, detail. Grain: one row a request.
UPDATE crm_list_membership AS membership
SET detail = %(detail)s
FROM ctct_bulk_activity_row AS carried
WHERE
    carried.bulk_id = %(bulk_id)s
    AND membership.contact_id = carried.contact_id
    AND membership.list_id = carried.list_id
    AND membership.status = 'pending'
    AND membership.action = carried.action
    AND membership.requested_at = carried.requested_at;
