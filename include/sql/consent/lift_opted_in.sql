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
FROM (
    SELECT
        objection_id,
        constant_contact_id
    FROM ctct_objection
    WHERE lifted_at IS NULL AND constant_contact_id IS NOT NULL
    UNION ALL
    -- A wish that was told before there was a contact to name.
    SELECT
        asked.objection_id,
        owner.contact_id
    FROM ctct_objection AS asked
    INNER JOIN ctct_contact AS owner ON asked.email_digest = ctct_email_digest(owner.email_key)
    WHERE
        asked.lifted_at IS NULL
        AND asked.constant_contact_id IS NULL
        AND asked.source = 'asked'
        AND owner.deleted_at IS NULL
    UNION ALL
    SELECT
        asked.objection_id,
        link.constant_contact_id
    FROM ctct_objection AS asked
    INNER JOIN ctct_link AS link ON asked.contact_id = link.contact_id
    WHERE
        asked.lifted_at IS NULL
        AND asked.constant_contact_id IS NULL
        AND asked.source = 'asked'
) AS named
INNER JOIN ctct_contact AS mirrored ON named.constant_contact_id = mirrored.contact_id
WHERE
    objection.objection_id = named.objection_id
    AND mirrored.deleted_at IS NULL
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
