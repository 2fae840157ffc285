-- What was asked about a contact and a list. Parameters: contact_id, list_id. Grain: one row.
SELECT
    action,
    requested_at,
    status,
    processed_at,
    detail
FROM crm_list_membership
WHERE contact_id = %(contact_id)s AND list_id = %(list_id)s;
