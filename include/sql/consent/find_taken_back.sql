-- Compare the mirror with the register the other way: contacts that are unsubscribed by an opt-out
-- of ours, the last there, that no objection is behind any more, and whose flag is false for a
-- contact of the CRM that is linked to them or whose flag had them unsubscribed. A CRM id may be
-- another person's now: after a person lifted something only one with that address counts, and
-- one that is not linked has the link or the address that it had. Each becomes a change that waits:
-- the one that is held for want of this, or a new one, unless one waits already or Constant Contact
-- refused it. What a person dismissed, and what was so before a restore, stays.
-- Grain: one row a change.
WITH taken AS MATERIALIZED (
    SELECT DISTINCT ON (ours.constant_contact_id)
        ours.constant_contact_id,
        ours.consent_id,
        ours.change_id,
        ours.decided_at,
        mirrored.email_key,
        ours.decision = 'created'
        OR ours.permission_before IN ('implicit', 'explicit') AS was_mailed
    FROM ctct_consent AS ours
    INNER JOIN ctct_contact AS mirrored ON ours.constant_contact_id = mirrored.contact_id
    WHERE
        ours.permission_before IS DISTINCT FROM 'unsubscribed'
        AND (
            ours.decision IN ('unsubscribed', 'unsubscribing')
            OR ours.permission_after = 'unsubscribed'
        )
        AND mirrored.permission_to_send = 'unsubscribed'
        AND mirrored.deleted_at IS NULL
        AND mirrored.email_key IS NOT NULL
        -- Most have one, which costs little to see; the gate sees all.
        AND NOT EXISTS (
            SELECT FROM ctct_objection AS named
            WHERE
                named.constant_contact_id = ours.constant_contact_id
                AND named.lifted_at IS NULL
        )
    ORDER BY ours.constant_contact_id ASC, ours.consent_id DESC
),

standing AS MATERIALIZED (
    SELECT taken.*
    FROM taken
    WHERE
        NOT EXISTS (
            SELECT FROM ctct_consent AS later
            WHERE
                later.constant_contact_id = taken.constant_contact_id
                AND later.consent_id > taken.consent_id
                AND later.decision IN ('resubscribed', 'dismissed')
        )
        AND NOT EXISTS (
            SELECT FROM ctct_restore AS restore
            WHERE restore.settled_at >= taken.decided_at
        )
),

concerned AS (
    SELECT
        standing.constant_contact_id,
        link.contact_id,
        link.email_key = standing.email_key AS has_address,
        TRUE AS is_linked
    FROM standing
    INNER JOIN ctct_link AS link ON standing.constant_contact_id = link.constant_contact_id
    UNION ALL
    SELECT
        standing.constant_contact_id,
        link.contact_id,
        FALSE,
        FALSE
    FROM standing
    INNER JOIN crm_opt_out_change AS change ON standing.change_id = change.change_id
    INNER JOIN ctct_link AS link ON change.contact_id = link.contact_id
    WHERE
        change.requested_by_contact IS NOT TRUE
        AND EXISTS (
            SELECT FROM ctct_objection AS flag
            WHERE
                flag.contact_id = link.contact_id
                AND flag.source = 'flag'
                AND flag.heard_at <= standing.decided_at
                AND (
                    flag.constant_contact_id = link.constant_contact_id
                    OR flag.email_digest = ctct_email_digest(link.email_key)
                )
        )
),

cleared AS (
    SELECT DISTINCT ON (concerned.constant_contact_id)
        concerned.constant_contact_id,
        concerned.contact_id
    FROM concerned
    INNER JOIN ctct_link AS link ON concerned.contact_id = link.contact_id
    WHERE
        NOT link.do_not_email
        AND link.absence_hold_id IS NULL
        AND NOT EXISTS (
            SELECT FROM ctct_objection AS told
            WHERE
                told.contact_id = link.contact_id
                AND (
                    told.lifted_at IS NULL
                    OR (told.lifted_by IS NOT NULL AND concerned.has_address IS NOT TRUE)
                )
        )
    ORDER BY
        concerned.constant_contact_id ASC,
        concerned.is_linked DESC,
        concerned.contact_id ASC
),

waiting AS MATERIALIZED (
    SELECT
        change.change_id,
        change.contact_id,
        change.status = 'held'
        AND (change.hold_id IS NULL OR change.released_at IS NOT NULL) AS is_held_by_rules,
        CASE
            WHEN change.is_found THEN change.constant_contact_id
            ELSE coalesce(link.constant_contact_id, change.constant_contact_id)
        END AS constant_contact_id
    FROM crm_opt_out_change AS change
    LEFT JOIN ctct_link AS link ON change.contact_id = link.contact_id
    WHERE NOT change.do_not_email AND change.status IN ('pending', 'held')
),

candidate AS MATERIALIZED (
    SELECT
        cleared.constant_contact_id,
        standing.was_mailed,
        waiting.change_id,
        waiting.is_held_by_rules,
        coalesce(waiting.contact_id, cleared.contact_id) AS contact_id
    FROM cleared
    INNER JOIN standing ON cleared.constant_contact_id = standing.constant_contact_id
    LEFT JOIN waiting ON cleared.constant_contact_id = waiting.constant_contact_id
    WHERE
        NOT EXISTS (
            SELECT FROM crm_opt_out_change AS refused
            WHERE
                refused.status = 'failed'
                AND NOT refused.do_not_email
                AND refused.constant_contact_id = cleared.constant_contact_id
                AND refused.changed_at >= standing.decided_at
        )
        -- As above: the gate costs a fraction of a millisecond for each.
        AND NOT EXISTS (
            SELECT FROM ctct_objection AS at_address
            WHERE
                at_address.email_digest = ctct_email_digest(standing.email_key)
                AND at_address.lifted_at IS NULL
        )
),

free AS (
    SELECT candidate.*
    FROM candidate
    CROSS JOIN LATERAL ctct_gate(candidate.contact_id, candidate.constant_contact_id, NULL) AS gate
    WHERE gate.answer = 'may'
),

requeued AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'pending',
        processed_at = NULL,
        detail = 'No objection stands any more: looked at once more.'
    FROM free
    WHERE
        change.change_id = free.change_id
        AND free.is_held_by_rules
        AND free.was_mailed
        AND change.status = 'held'
    RETURNING change.change_id, change.detail, free.constant_contact_id
),

recorded AS (
    INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
    SELECT
        change_id,
        'requeued',
        detail,
        constant_contact_id
    FROM requeued
),

found AS (
    INSERT INTO crm_opt_out_change (
        contact_id, constant_contact_id, do_not_email, requested_by_contact, changed_by, is_found
    )
    SELECT
        contact_id,
        constant_contact_id,
        FALSE,
        FALSE,
        'constant_contact',
        TRUE
    FROM free
    WHERE change_id IS NULL
    RETURNING change_id
)

SELECT change_id FROM requeued
UNION ALL
SELECT change_id FROM found;
