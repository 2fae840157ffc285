-- Take the next waiting change: what contacts asked for first, then other opt-outs, then opt-ins.
-- It is ours to the transaction's end. Parameters: upto (the newest change that was weighed), skip
-- (change ids that this run has set aside). Grain: one row, or none when nothing waits.
SELECT
    change.change_id,
    change.contact_id,
    change.do_not_email,
    change.reason,
    change.is_found,
    change.attempts,
    CASE
        WHEN change.is_found THEN change.constant_contact_id
        ELSE coalesce(crm.constant_contact_id, change.constant_contact_id)
    END AS constant_contact_id,
    coalesce(change.requested_by_contact, FALSE) AS requested_by_contact
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    change.status = 'pending'
    AND change.change_id <= %(upto)s
    AND change.change_id <> all(%(skip)s)
ORDER BY
    change.do_not_email DESC,
    coalesce(change.requested_by_contact, FALSE) DESC,
    change.change_id ASC
LIMIT 1
FOR UPDATE OF change SKIP LOCKED;
