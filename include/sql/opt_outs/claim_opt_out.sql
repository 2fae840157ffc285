-- Take the next waiting change, opt-outs before opt-ins; it is ours to the transaction's end.
-- Parameters: upto (the newest change that was weighed), skip (change ids that this run has set
-- aside).
-- Grain: one row, or none when nothing waits.
SELECT
    change.change_id,
    change.contact_id,
    change.do_not_email,
    change.reason,
    coalesce(crm.constant_contact_id, change.constant_contact_id) AS constant_contact_id,
    coalesce(change.requested_by_contact, FALSE) AS requested_by_contact,
    crm.contact_id IS NOT NULL AS is_in_crm
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    change.status = 'pending'
    AND change.change_id <= %(upto)s
    AND change.change_id <> all(%(skip)s)
    AND NOT EXISTS (
        SELECT FROM crm_opt_out_change AS newer
        WHERE
            newer.contact_id = change.contact_id
            AND newer.change_id > change.change_id
            AND newer.status IN ('pending', 'held')
    )
ORDER BY change.do_not_email DESC, change.change_id ASC
LIMIT 1
FOR UPDATE OF change SKIP LOCKED;
