-- The CRM says do not email, the vendor may: the suppressive side wins, by the same outbox as any
-- other change. Happens when a contact is linked that was flagged before.
-- Grain: one row a CRM contact that has no change waiting, and whose last was not refused.
INSERT INTO crm_opt_out_change (
    contact_id, constant_contact_id, do_not_email, reason, requested_by_contact
)
SELECT
    crm.contact_id,
    crm.constant_contact_id,
    TRUE,
    'Do Not Email is set in the CRM',
    FALSE
FROM ctct_link AS crm
INNER JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
WHERE
    crm.do_not_email
    AND mirrored.deleted_at IS NULL
    AND mirrored.email_key IS NOT NULL
    AND mirrored.permission_to_send IS DISTINCT FROM 'unsubscribed'
    AND NOT EXISTS (
        SELECT FROM crm_opt_out_change AS change
        WHERE
            change.contact_id = crm.contact_id
            AND change.do_not_email
            AND (
                change.status IN ('pending', 'held')
                OR (
                    change.status = 'failed'
                    AND NOT EXISTS (
                        SELECT FROM crm_opt_out_change AS newer
                        WHERE
                            newer.contact_id = change.contact_id
                            AND newer.change_id > change.change_id
                    )
                )
            )
    );
