-- Why the comparison takes no opt-out of ours back of a contact that is unsubscribed at Constant
-- Contact and that no objection holds, each as consent/find_taken_back asks it. Parameters:
-- contact_id. Grain: one row where the contact is linked, none else.
SELECT
    link.do_not_email IS NULL AS flag_is_unknown,
    taken.consent_id IS NULL AS is_not_ours,
    EXISTS(
        SELECT FROM ctct_consent AS later
        WHERE
            later.constant_contact_id = mirrored.contact_id
            AND later.consent_id > taken.consent_id
            AND later.decision = 'dismissed'
    ) AS was_dismissed,
    EXISTS(
        SELECT FROM ctct_restore AS restore
        WHERE restore.settled_at >= taken.decided_at
    ) AS was_restored,
    EXISTS(
        SELECT FROM crm_opt_out_change AS refused
        WHERE
            refused.status = 'failed'
            AND NOT refused.do_not_email
            AND refused.constant_contact_id = mirrored.contact_id
            AND refused.changed_at >= taken.decided_at
    ) AS was_refused,
    EXISTS(
        SELECT FROM ctct_objection AS lifted
        WHERE
            lifted.contact_id = link.contact_id
            AND lifted.lifted_by IS NOT NULL
            AND link.email_key IS DISTINCT FROM mirrored.email_key
    ) AS may_be_another
FROM ctct_link AS link
INNER JOIN ctct_contact AS mirrored ON link.constant_contact_id = mirrored.contact_id
LEFT JOIN
    LATERAL (
        SELECT
            ours.consent_id,
            ours.decided_at
        FROM ctct_consent AS ours
        WHERE
            ours.constant_contact_id = mirrored.contact_id
            AND ours.permission_before IS DISTINCT FROM 'unsubscribed'
            AND (
                ours.decision IN ('unsubscribed', 'unsubscribing')
                OR ours.permission_after = 'unsubscribed'
            )
            AND NOT EXISTS (
                SELECT FROM ctct_consent AS later
                WHERE
                    later.constant_contact_id = ours.constant_contact_id
                    AND later.consent_id > ours.consent_id
                    AND later.decision = 'resubscribed'
            )
        ORDER BY ours.consent_id DESC
        LIMIT 1
    ) AS taken
    ON TRUE
WHERE link.contact_id = %(contact_id)s;
