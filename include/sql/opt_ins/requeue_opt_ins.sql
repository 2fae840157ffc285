-- A held opt-in is looked at again when its contact may be mailed at the vendor again, which only
-- the contact itself can have brought about. Grain: one row a change.
WITH requeued AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'pending',
        processed_at = NULL,
        detail = 'May be mailed at Constant Contact again: looked at once more.'
    FROM ctct_link AS crm
    CROSS JOIN ctct_contact AS mirrored
    WHERE
        change.contact_id = crm.contact_id
        AND mirrored.contact_id = CASE
            WHEN change.is_found THEN change.constant_contact_id ELSE crm.constant_contact_id
        END
        AND change.status = 'held'
        AND NOT change.do_not_email
        AND (change.hold_id IS NULL OR change.released_at IS NOT NULL)
        AND mirrored.deleted_at IS NULL
        AND mirrored.permission_to_send NOT IN ('unsubscribed', 'pending_confirmation')
    RETURNING change.change_id, change.detail, change.constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'requeued',
    detail,
    constant_contact_id
FROM requeued;
