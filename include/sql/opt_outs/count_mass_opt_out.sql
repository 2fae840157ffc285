-- What the circuit breaker weighs. Parameters: by_contact (of the changes that the contacts asked
-- for, or of the others: a mass of the one must not hold up the other).
-- Grain: one row: contacts that waiting changes would unsubscribe (what a person released is not
-- weighed again).
SELECT count(DISTINCT coalesce(crm.constant_contact_id, change.constant_contact_id)) AS waiting
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    change.status = 'pending'
    AND change.do_not_email
    AND change.released_at IS NULL
    AND coalesce(change.requested_by_contact, FALSE) = %(by_contact)s;
