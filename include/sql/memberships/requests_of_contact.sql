-- What was asked for a contact's memberships, the newest first. Parameters: contact_id, most.
-- Grain: one row a list.
SELECT
    membership.list_id,
    membership.action,
    membership.requested_at,
    membership.status,
    membership.processed_at,
    membership.detail,
    coalesce(list.name, membership.list_id) AS list_name
FROM crm_list_membership AS membership
LEFT JOIN ctct_list AS list ON membership.list_id = list.list_id
WHERE membership.contact_id = %(contact_id)s
ORDER BY membership.requested_at DESC, membership.list_id ASC
LIMIT %(most)s;
