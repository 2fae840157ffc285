-- One change of the outbox, and whom it is about on both sides. Parameters: change_id.
-- Grain: one row, or none.
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
    mirrored.email_address,
    mirrored.permission_to_send,
    mirrored.opt_out_source,
    mirrored.opt_out_date,
    about.constant_contact_id,
    coalesce(change.requested_by_contact, FALSE) AS requested_by_contact,
    concat_ws(' ', crm.first_name, crm.last_name) AS name
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
CROSS JOIN
    LATERAL (
        SELECT
            CASE
                WHEN change.is_found THEN change.constant_contact_id
                ELSE coalesce(crm.constant_contact_id, change.constant_contact_id)
            END AS constant_contact_id
    ) AS about
LEFT JOIN ctct_contact AS mirrored ON about.constant_contact_id = mirrored.contact_id
WHERE change.change_id = %(change_id)s;
