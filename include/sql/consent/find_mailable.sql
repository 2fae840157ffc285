-- Compare the register with the mirror: who objects by the CRM and may still be mailed, by any of
-- the three keys of the objection; and who opted out at Constant Contact while we opted them in,
-- which no condition on that PUT could prevent. Each becomes a change that waits, unless one does
-- already or Constant Contact refused it. Clocks may differ by an hour.
-- Parameters: contact_ids (those CRM contacts only; null: all).
-- Grain: one row a Constant Contact contact.
WITH objection AS MATERIALIZED (
    SELECT
        objection.objection_id,
        objection.source,
        objection.contact_id,
        objection.constant_contact_id,
        objection.email_digest,
        objection.objected_at,
        objection.reason,
        objection.told_by
    FROM ctct_objection AS objection
    WHERE
        objection.lifted_at IS NULL
        AND objection.source IN ('flag', 'asked')
        AND (
            %(contact_ids)s::text[] IS NULL
            OR objection.contact_id = any(%(contact_ids)s::text[])
        )
    UNION ALL
    SELECT
        objection.objection_id,
        objection.source,
        objection.contact_id,
        objection.constant_contact_id,
        objection.email_digest,
        objection.objected_at,
        objection.reason,
        objection.told_by
    FROM ctct_objection AS objection
    WHERE
        %(contact_ids)s::text[] IS NULL
        AND objection.lifted_at IS NULL
        AND objection.source IN ('click', 'vendor_contact')
        AND EXISTS (
            SELECT FROM ctct_consent AS ours
            WHERE
                ours.decision IN ('resubscribed', 'resubscribing')
                AND ours.constant_contact_id = objection.constant_contact_id
                AND ours.decided_at >= objection.objected_at - interval '1 hour'
        )
),

linked AS MATERIALIZED (
    SELECT
        objection.objection_id,
        link.constant_contact_id,
        link.email_key,
        nullif(objection.email_digest, ctct_email_digest(link.email_key)) AS other_digest
    FROM objection
    LEFT JOIN ctct_link AS link ON objection.contact_id = link.contact_id
),

led_to AS (
    SELECT
        objection_id,
        constant_contact_id
    FROM objection
    WHERE constant_contact_id IS NOT NULL
    UNION
    SELECT
        objection_id,
        constant_contact_id
    FROM linked
    WHERE constant_contact_id IS NOT NULL
    UNION
    SELECT
        linked.objection_id,
        mirrored.contact_id
    FROM linked
    INNER JOIN ctct_contact AS mirrored ON linked.email_key = mirrored.email_key
    WHERE mirrored.deleted_at IS NULL
    UNION
    -- An address that is not the contact's. There are few, which the planner cannot know: it would
    -- make the digest of every address. The ORDER BY has each looked up.
    SELECT
        linked.objection_id,
        mirrored.contact_id
    FROM linked
    CROSS JOIN
        LATERAL (
            SELECT owner.contact_id FROM ctct_contact AS owner
            WHERE
                ctct_email_digest(owner.email_key) = linked.other_digest
                AND owner.deleted_at IS NULL
            ORDER BY owner.contact_id
        ) AS mirrored
    WHERE linked.other_digest IS NOT NULL
),

-- Most are unsubscribed, which an index of those tells; the others are few, too.
reached AS MATERIALIZED (
    SELECT
        led_to.objection_id,
        led_to.constant_contact_id
    FROM led_to
    WHERE
        NOT EXISTS (
            SELECT FROM ctct_contact AS unsubscribed
            WHERE
                unsubscribed.contact_id = led_to.constant_contact_id
                AND unsubscribed.permission_to_send = 'unsubscribed'
                AND unsubscribed.deleted_at IS NULL
        )
),

mailable AS (
    SELECT DISTINCT ON (reached.constant_contact_id)
        reached.constant_contact_id,
        objection.contact_id,
        objection.reason,
        objection.told_by,
        objection.objected_at,
        objection.source <> 'flag' AS is_asked
    FROM reached
    INNER JOIN objection ON reached.objection_id = objection.objection_id
    CROSS JOIN
        LATERAL (
            SELECT living.contact_id FROM ctct_contact AS living
            WHERE
                living.contact_id = reached.constant_contact_id
                AND living.deleted_at IS NULL
                AND living.email_key IS NOT NULL
                AND living.permission_to_send IS DISTINCT FROM 'unsubscribed'
            ORDER BY living.contact_id
        ) AS mirrored
    ORDER BY
        reached.constant_contact_id ASC,
        objection.source <> 'flag' DESC,
        objection.objected_at DESC
),

-- From here on the objection names that contact, whatever becomes of its address.
named AS (
    INSERT INTO ctct_objection (
        source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by
    )
    SELECT DISTINCT
        objection.source,
        objection.contact_id,
        mailable.constant_contact_id,
        objection.email_digest,
        objection.objected_at,
        objection.reason,
        objection.told_by
    FROM mailable
    INNER JOIN reached ON mailable.constant_contact_id = reached.constant_contact_id
    INNER JOIN objection ON reached.objection_id = objection.objection_id
    WHERE
        NOT EXISTS (
            SELECT FROM ctct_objection AS known
            WHERE
                known.constant_contact_id = mailable.constant_contact_id
                AND known.contact_id IS NOT DISTINCT FROM objection.contact_id
                AND known.source = objection.source
                AND known.lifted_at IS NULL
        )
)

INSERT INTO crm_opt_out_change (
    contact_id, constant_contact_id, do_not_email, reason, requested_by_contact, changed_by,
    is_found
)
SELECT
    coalesce(mailable.contact_id, ''),
    mailable.constant_contact_id,
    TRUE,
    coalesce(mailable.reason, 'Do Not Email is set in the CRM'),
    mailable.is_asked,
    coalesce(mailable.told_by, 'constant_contact'),
    TRUE
FROM mailable
WHERE
    NOT EXISTS (
        SELECT FROM crm_opt_out_change AS waiting
        LEFT JOIN ctct_link AS link ON waiting.contact_id = link.contact_id
        WHERE
            waiting.do_not_email
            AND waiting.status IN ('pending', 'held')
            -- A contact's wish does not wait behind a mass of others.
            AND (waiting.requested_by_contact OR NOT mailable.is_asked)
            AND CASE
                WHEN waiting.is_found THEN waiting.constant_contact_id
                ELSE coalesce(link.constant_contact_id, waiting.constant_contact_id)
            END = mailable.constant_contact_id
    )
    AND NOT EXISTS (
        SELECT FROM crm_opt_out_change AS refused
        WHERE
            refused.do_not_email
            AND refused.status = 'failed'
            AND refused.constant_contact_id = mailable.constant_contact_id
            AND refused.changed_at >= mailable.objected_at
    );
