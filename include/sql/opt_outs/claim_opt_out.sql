-- Take the next waiting change: what contacts asked for first, then other opt-outs, then opt-ins,
-- and last the backlog, a mass that a person released. It is ours to the transaction's end.
-- Parameters: upto (the newest change that was weighed), skip (change ids that this run has set
-- aside), with_backlog. Grain: one row, or none when nothing waits.
SELECT
    change.change_id,
    change.contact_id,
    change.do_not_email,
    change.reason,
    change.is_found,
    change.attempts,
    change.released_at IS NOT NULL AND change.requested_by_contact IS NOT TRUE AS is_backlog,
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
    AND (
        %(with_backlog)s
        OR change.released_at IS NULL
        OR change.requested_by_contact IS TRUE
    )
ORDER BY
    is_backlog ASC,
    change.do_not_email DESC,
    coalesce(change.requested_by_contact, FALSE) DESC,
    change.change_id ASC
LIMIT 1
FOR UPDATE OF change SKIP LOCKED;
