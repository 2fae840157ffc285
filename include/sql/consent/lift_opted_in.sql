-- Lift what a contact itself took back at Constant Contact, later; and an opt-out of the account's
-- that the account took back there. Parameters: constant_contact_id (null: all).
-- Grain: one row an objection.
UPDATE ctct_objection AS objection
SET
    lifted_at = clock_timestamp(),
    evidence = CASE
        WHEN objection.source = 'vendor_account'
            THEN 'May be mailed at Constant Contact again.'
        ELSE
            'Opted in at Constant Contact by itself at '
            || to_char(mirrored.opt_in_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC.'
    END
FROM ctct_contact AS mirrored
WHERE
    objection.lifted_at IS NULL
    AND mirrored.deleted_at IS NULL
    AND mirrored.contact_id = objection.constant_contact_id
    AND (
        %(constant_contact_id)s::text IS NULL
        OR mirrored.contact_id = %(constant_contact_id)s::text
    )
    AND mirrored.permission_to_send IN ('implicit', 'explicit')
    AND (
        objection.source = 'vendor_account'
        OR (
            objection.source IN ('asked', 'vendor_contact', 'click')
            AND mirrored.opt_in_source = 'Contact'
            AND mirrored.opt_in_date > objection.objected_at
        )
    );
