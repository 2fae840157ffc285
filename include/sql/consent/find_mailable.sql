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

led_to AS (
    SELECT
        objection_id,
        constant_contact_id
    FROM objection
    WHERE constant_contact_id IS NOT NULL
    UNION
    SELECT
        objection.objection_id,
        link.constant_contact_id
    FROM objection
    INNER JOIN ctct_link AS link ON objection.contact_id = link.contact_id
    WHERE link.constant_contact_id IS NOT NULL
    UNION
    SELECT
        objection.objection_id,
        mirrored.contact_id
    FROM objection
    INNER JOIN ctct_link AS link ON objection.contact_id = link.contact_id
    INNER JOIN ctct_contact AS mirrored ON link.email_key = mirrored.email_key
    WHERE mirrored.deleted_at IS NULL
    UNION
    SELECT
        objection.objection_id,
        mirrored.contact_id
    FROM objection
    INNER JOIN ctct_contact AS mirrored
        ON objection.email_digest = ctct_email_digest(mirrored.email_key)
    WHERE mirrored.deleted_at IS NULL
),

mailable AS (
    SELECT DISTINCT ON (mirrored.contact_id)
        mirrored.contact_id AS constant_contact_id,
        objection.contact_id,
        objection.reason,
        objection.told_by,
        objection.source <> 'flag' AS is_asked
    FROM led_to
    INNER JOIN objection ON led_to.objection_id = objection.objection_id
    INNER JOIN ctct_contact AS mirrored ON led_to.constant_contact_id = mirrored.contact_id
    WHERE
        mirrored.deleted_at IS NULL
        AND mirrored.email_key IS NOT NULL
        AND mirrored.permission_to_send IS DISTINCT FROM 'unsubscribed'
    ORDER BY
        mirrored.contact_id ASC,
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
    INNER JOIN led_to ON mailable.constant_contact_id = led_to.constant_contact_id
    INNER JOIN objection ON led_to.objection_id = objection.objection_id
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
    );
