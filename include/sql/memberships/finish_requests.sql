-- Keep the answer to the requests of one call; a rejection is the vendor's refusal. One that was
-- made again meanwhile is not touched. Parameters: bulk_id, list_ids (of the requests that it is
-- the answer to), status, detail. Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = %(status)s,
    processed_at = statement_timestamp(),
    refused_at = CASE WHEN %(status)s = 'rejected' THEN statement_timestamp() END,
    detail = %(detail)s
FROM ctct_bulk_activity_row AS carried
WHERE
    carried.bulk_id = %(bulk_id)s
    AND carried.list_id = any(%(list_ids)s)
    AND membership.contact_id = carried.contact_id
    AND membership.list_id = carried.list_id
    AND membership.status = 'pending'
    AND membership.action = carried.action
    AND membership.requested_at = carried.requested_at;
