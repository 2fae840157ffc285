-- An opt-in that waits for the contact's own word; it is ours to the transaction's end.
-- Parameters: change_id. Grain: one row, or none if it does not wait (any more).
SELECT
    change.change_id,
    change.contact_id,
    CASE
        WHEN change.is_found THEN change.constant_contact_id ELSE crm.constant_contact_id
    END AS constant_contact_id,
    coalesce(crm.do_not_email, FALSE) AS do_not_email
FROM crm_opt_out_change AS change
INNER JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    change.change_id = %(change_id)s
    AND change.status = 'held'
    AND NOT change.do_not_email
    AND NOT EXISTS (
        SELECT FROM crm_opt_out_change AS newer
        WHERE
            newer.contact_id = change.contact_id
            AND newer.change_id > change.change_id
            AND NOT newer.is_found
    )
FOR UPDATE OF change;
