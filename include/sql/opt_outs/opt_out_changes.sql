-- A page of the outbox, the newest first. Parameters: status ('': any), before (a change id; null:
-- from the newest), most. Grain: one row a change.
SELECT
    change.change_id,
    change.contact_id,
    change.do_not_email,
    change.reason,
    change.changed_by,
    change.changed_at,
    change.status,
    change.attempts,
    change.processed_at,
    change.detail,
    change.hold_id,
    coalesce(change.requested_by_contact, FALSE) AS requested_by_contact,
    concat_ws(' ', crm.first_name, crm.last_name) AS name
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    (%(status)s = '' OR change.status = %(status)s)
    AND (%(before)s::bigint IS NULL OR change.change_id < %(before)s::bigint)
ORDER BY change.change_id DESC
LIMIT %(most)s;
