-- A page of the requests, the newest first. Parameters: status, list_id, action ('': any), and the
-- last row of the page before: requested_at (null: from the newest), contact_id, after_list_id;
-- most. Grain: one row a request.
SELECT
    membership.contact_id,
    membership.list_id,
    membership.action,
    membership.requested_at,
    membership.status,
    membership.processed_at,
    membership.detail,
    membership.hold_id,
    concat_ws(' ', crm.first_name, crm.last_name) AS name,
    coalesce(list.name, membership.list_id) AS list_name
FROM crm_list_membership AS membership
LEFT JOIN ctct_link AS crm ON membership.contact_id = crm.contact_id
LEFT JOIN ctct_list AS list ON membership.list_id = list.list_id
WHERE
    (%(status)s = '' OR membership.status = %(status)s)
    AND (%(list_id)s = '' OR membership.list_id = %(list_id)s)
    AND (%(action)s = '' OR membership.action = %(action)s)
    AND (
        %(requested_at)s::timestamptz IS NULL
        OR (membership.requested_at, membership.contact_id, membership.list_id)
        < (%(requested_at)s::timestamptz, %(contact_id)s, %(after_list_id)s)
    )
ORDER BY membership.requested_at DESC, membership.contact_id DESC, membership.list_id DESC
LIMIT %(most)s;
