-- Lift what a contact itself took back at Constant Contact, later; and an opt-out of the account's
-- that the account took back there. Parameters: constant_contact_id (null: all).
-- Grain: one row an objection.
WITH named AS (
    SELECT
        objection_id,
        constant_contact_id
    FROM ctct_objection
    WHERE
        lifted_at IS NULL
        AND constant_contact_id IS NOT NULL
        AND source IN ('asked', 'vendor_contact', 'vendor_account', 'click')
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
),

-- Most are unsubscribed still, which an index of those tells; the others are few, and the
-- ORDER BY has each looked up.
other AS MATERIALIZED (
    SELECT
        named.objection_id,
        named.constant_contact_id
    FROM named
    WHERE
        (
            %(constant_contact_id)s::text IS NULL
            OR named.constant_contact_id = %(constant_contact_id)s::text
        )
        AND NOT EXISTS (
            SELECT FROM ctct_contact AS unsubscribed
            WHERE
                unsubscribed.contact_id = named.constant_contact_id
                AND unsubscribed.permission_to_send = 'unsubscribed'
                AND unsubscribed.deleted_at IS NULL
        )
),

mailable AS (
    SELECT
        other.objection_id,
        mirrored.opt_in_source,
        mirrored.opt_in_date
    FROM other
    CROSS JOIN
        LATERAL (
            SELECT
                living.opt_in_source,
                living.opt_in_date
            FROM ctct_contact AS living
            WHERE
                living.contact_id = other.constant_contact_id
                AND living.deleted_at IS NULL
                AND living.permission_to_send IN ('implicit', 'explicit')
            ORDER BY living.contact_id
        ) AS mirrored
)

UPDATE ctct_objection AS objection
SET
    lifted_at = clock_timestamp(),
    evidence = CASE
        WHEN objection.source = 'vendor_account'
            THEN 'May be mailed at Constant Contact again.'
        ELSE
            'Opted in at Constant Contact by itself at '
            || to_char(mailable.opt_in_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC.'
    END
FROM mailable
WHERE
    objection.objection_id = mailable.objection_id
    AND (
        objection.source = 'vendor_account'
        OR (
            objection.source IN ('asked', 'vendor_contact', 'click')
            AND mailable.opt_in_source = 'Contact'
            AND mailable.opt_in_date > objection.objected_at
        )
    );
