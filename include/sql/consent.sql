-- name: lift_flags
-- Lift the CRM's own objections to contacts whose flag was cleared, as waiting changes tell and the
-- CRM shows; nothing else of theirs, nor what a contact that was merged into them since objects to
-- still. An id whose address is another one than those of its objections may be another person's
-- now: a person decides. Parameters: contact_id (null: all). Grain: one row an objection.
UPDATE ctct_objection AS objection
SET
    lifted_at = clock_timestamp(),
    evidence = concat('Do Not Email was cleared in the CRM by ', change.changed_by, '.')
FROM crm_opt_out_change AS change
INNER JOIN ctct_link AS link ON change.contact_id = link.contact_id
WHERE
    change.status = 'pending'
    AND NOT change.do_not_email
    -- That both sides were compared tells of no flag that was cleared.
    AND NOT change.is_found
    AND NOT link.do_not_email
    AND (%(contact_id)s::text IS NULL OR change.contact_id = %(contact_id)s::text)
    AND objection.contact_id = change.contact_id
    AND objection.source = 'flag'
    AND objection.lifted_at IS NULL
    AND EXISTS (
        SELECT FROM ctct_objection AS known
        INNER JOIN ctct_link AS its ON known.contact_id = its.contact_id
        WHERE
            known.contact_id = objection.contact_id
            AND known.source = 'flag'
            AND known.lifted_at IS NULL
            AND (
                known.email_digest IS NULL
                OR known.email_digest = any(ctct_email_digests(its.email_key))
                OR its.email_key IS NULL
            )
    )
    AND NOT (
        objection.change_id IS NULL
        AND objection.heard_at > change.changed_at
        AND EXISTS (
            SELECT FROM ctct_link AS merged
            INNER JOIN ctct_objection AS standing ON merged.contact_id = standing.contact_id
            WHERE
                merged.merged_into = objection.contact_id
                AND standing.source = 'flag'
                AND standing.objected_at = objection.objected_at
                AND standing.lifted_at IS NULL
        )
    );

-- name: hear_left_addresses
-- A contact whose flag is set in the look in which its address changes objects for both: for the
-- one that it had, too. Before the look is kept. Grain: one row a CRM contact.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason
)
SELECT
    'flag',
    link.contact_id,
    link.constant_contact_id,
    ctct_email_digest(link.email_key),
    clock_timestamp(),
    read.opt_out_reason
FROM read_contact AS read
INNER JOIN ctct_link AS link ON read.contact_id = link.contact_id
WHERE
    read.do_not_email
    AND link.do_not_email IS NOT TRUE
    AND link.email_key IS DISTINCT FROM ctct_email_key(read.email_address)
    AND link.email_key IS NOT NULL;

-- name: name_unlinked
-- What a contact objected to itself at Constant Contact holds for the CRM contacts whose link to it
-- is about to end, whatever their address is by then. Grain: one row a CRM contact and objection.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by
)
SELECT
    objection.source,
    link.contact_id,
    objection.constant_contact_id,
    ctct_email_digest(link.email_key),
    objection.objected_at,
    objection.reason,
    objection.told_by
FROM wanted_link AS wanted
INNER JOIN ctct_link AS link ON wanted.contact_id = link.contact_id
INNER JOIN ctct_objection AS objection ON wanted.old_id = objection.constant_contact_id
WHERE
    objection.source IN ('vendor_contact', 'click')
    AND objection.contact_id IS NULL
    AND objection.lifted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM ctct_objection AS known
        WHERE
            known.contact_id = link.contact_id
            AND known.constant_contact_id = objection.constant_contact_id
            AND known.source = objection.source
            AND known.objected_at = objection.objected_at
    );

-- name: add_cleared
-- A flag that was set when it was last seen and is cleared now becomes a change that waits, unless
-- the CRM wrote one. Grain: one row a CRM contact.
INSERT INTO crm_opt_out_change (
    contact_id, constant_contact_id, do_not_email, requested_by_contact, changed_by, email_digest
)
SELECT
    link.contact_id,
    link.constant_contact_id,
    FALSE,
    FALSE,
    'constant_contact',
    ctct_email_digest(link.email_key)
FROM read_contact AS read
INNER JOIN ctct_link AS link ON read.contact_id = link.contact_id
WHERE
    link.do_not_email
    AND NOT read.do_not_email
    -- Else it was absent in between.
    AND link.absence_hold_id IS NULL
    AND NOT EXISTS (
        SELECT FROM crm_opt_out_change AS change
        WHERE
            change.contact_id = link.contact_id
            AND NOT change.do_not_email
            AND NOT change.is_found
            AND change.status IN ('pending', 'held')
    );

-- name: hear_clicks
-- Hear who unsubscribed by a link in an email, by the ledger: the vendor may go on calling the
-- account's own an opt-out that was there before. Parameters: position (event id: the newer ones),
-- constant_contact_id (null: all). Grain: one row a Constant Contact contact.
INSERT INTO ctct_objection (source, constant_contact_id, email_digest, objected_at)
SELECT
    'click',
    clicked.contact_id,
    coalesce(ctct_email_digest(mirrored.email_key), mirrored.purged_digest),
    clicked.clicked_at
FROM (
    SELECT
        event.contact_id,
        max(event.occurred_at) AS clicked_at
    FROM ctct_engagement AS event
    INNER JOIN ctct_engagement_stream AS stream ON event.stream_id = stream.stream_id
    WHERE
        stream.activity_type = 'opt_out'
        AND event.event_id > %(position)s
        AND (
            %(constant_contact_id)s::text IS NULL
            OR event.contact_id = %(constant_contact_id)s::text
        )
    GROUP BY event.contact_id
) AS clicked
LEFT JOIN ctct_contact AS mirrored ON clicked.contact_id = mirrored.contact_id
WHERE
    NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.constant_contact_id = clicked.contact_id
            AND heard.source = 'click'
            AND heard.objected_at >= clicked.clicked_at
    );

-- name: record_creation
-- Record that a contact was created unsubscribed: an opt-out that we made. Parameters:
-- constant_contact_id, source (as the vendor shows it). Grain: one row.
INSERT INTO ctct_consent (
    decision, detail, constant_contact_id, permission_after, opt_out_source_after
)
VALUES (
    'created',
    'Created at Constant Contact as unsubscribed.',
    %(constant_contact_id)s,
    'unsubscribed',
    %(source)s
);

-- name: gate
-- Whether a contact may be emailed, and the objection that weighs most. Parameters: contact_id,
-- constant_contact_id, address (each may be null). Grain: one row.
SELECT
    gate.answer,
    gate.source,
    gate.objected_at,
    objection.contact_id
FROM
    ctct_gate(
        %(contact_id)s::text, %(constant_contact_id)s::text, %(address)s::text
    ) AS gate
LEFT JOIN ctct_objection AS objection ON gate.objection_id = objection.objection_id;

-- name: resolve_changes
-- Find out which Constant Contact contact a waiting change is about that names none: the one that
-- its contact is linked to, or that has the address. Rows that another worker is at are left to it.
-- Grain: one row a change.
UPDATE crm_opt_out_change AS change
SET constant_contact_id = found.constant_contact_id
FROM (
    SELECT
        waiting.change_id,
        coalesce(
            link.constant_contact_id,
            gone.constant_contact_id,
            (
                SELECT mirrored.contact_id FROM ctct_contact AS mirrored
                WHERE
                    ctct_email_digest(mirrored.email_key)
                    = coalesce(waiting.email_digest, ctct_email_digest(link.email_key))
                    AND mirrored.deleted_at IS NULL
                ORDER BY mirrored.contact_id
                LIMIT 1
            )
        ) AS constant_contact_id
    FROM crm_opt_out_change AS waiting
    LEFT JOIN ctct_link AS link ON waiting.contact_id = link.contact_id
    LEFT JOIN ctct_left_contact AS gone ON waiting.contact_id = gone.contact_id
    WHERE waiting.status = 'pending' AND waiting.constant_contact_id IS NULL
    FOR UPDATE OF waiting SKIP LOCKED
) AS found
WHERE change.change_id = found.change_id AND found.constant_contact_id IS NOT NULL;

-- name: hear_changes
-- Hear the objections of waiting changes: what the contact asked for, whatever came after it; and
-- the flag, unless it is cleared now. Null, absence, and a contact that left take nothing back.
-- Parameters: contact_ids (null: all). Grain: one row a change and objection.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by, change_id
)
SELECT
    cause.source,
    change.contact_id,
    coalesce(link.constant_contact_id, change.constant_contact_id, gone.constant_contact_id),
    coalesce(change.email_digest, ctct_email_digest(link.email_key)),
    change.changed_at,
    change.reason,
    change.changed_by,
    change.change_id
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS link ON change.contact_id = link.contact_id
LEFT JOIN ctct_left_contact AS gone ON change.contact_id = gone.contact_id
CROSS JOIN
    LATERAL (
        SELECT 'asked' AS source
        WHERE change.requested_by_contact
        UNION ALL
        SELECT 'flag' AS source
        WHERE link.do_not_email IS NOT FALSE OR link.absence_hold_id IS NOT NULL
    ) AS cause
WHERE
    change.status IN ('pending', 'held')
    AND change.do_not_email
    AND NOT change.is_found
    AND (%(contact_ids)s::text[] IS NULL OR change.contact_id = any(%(contact_ids)s::text[]))
ON CONFLICT (change_id, source) WHERE change_id IS NOT NULL DO NOTHING;

-- name: lift_returned
-- Lift what a contact that is deleted at Constant Contact objected to, for one that came back by
-- itself under another id, later, at its address or as the link of its contact. For the deleted one
-- it stands: should that be restored, it objects still. Grain: one row an objection.
WITH gone AS MATERIALIZED (
    SELECT
        objection.objection_id,
        objection.contact_id,
        objection.email_digest,
        objection.objected_at
    FROM ctct_contact AS deleted
    INNER JOIN ctct_objection AS objection ON deleted.contact_id = objection.constant_contact_id
    WHERE
        deleted.deleted_at IS NOT NULL
        AND objection.lifted_at IS NULL
        AND objection.source IN ('asked', 'vendor_contact', 'click')
),

other AS (
    SELECT
        gone.objection_id,
        gone.objected_at,
        mirrored.contact_id
    FROM gone
    INNER JOIN ctct_contact AS mirrored ON gone.email_digest = ctct_email_digest(mirrored.email_key)
    UNION
    SELECT
        gone.objection_id,
        gone.objected_at,
        link.constant_contact_id
    FROM gone
    INNER JOIN ctct_link AS link ON gone.contact_id = link.contact_id
),

returned AS (
    SELECT
        other.objection_id,
        max(owner.opt_in_date) AS opt_in_date
    FROM other
    INNER JOIN ctct_contact AS owner ON other.contact_id = owner.contact_id
    WHERE
        owner.deleted_at IS NULL
        AND owner.permission_to_send IN ('implicit', 'explicit')
        AND owner.opt_in_source = 'Contact'
        AND owner.opt_in_date > other.objected_at
    GROUP BY other.objection_id
),

lifted AS (
    UPDATE ctct_objection AS objection
    SET
        lifted_at = clock_timestamp(),
        evidence
        = 'Came back to Constant Contact by itself at '
        || to_char(returned.opt_in_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC.'
    FROM returned
    WHERE objection.objection_id = returned.objection_id
    RETURNING
        objection.source,
        objection.constant_contact_id,
        objection.objected_at,
        objection.reason,
        objection.told_by
)

INSERT INTO ctct_objection (source, constant_contact_id, objected_at, reason, told_by)
SELECT DISTINCT
    source,
    constant_contact_id,
    objected_at,
    reason,
    told_by
FROM lifted;

-- name: hear_flags
-- Hear the CRM's flags: one objection for each contact, link and address that has it; and beside
-- the flag that the contact asked for it, once for as long as the flag stays set.
-- Parameters: contact_ids (null: all). Grain: one row a CRM contact and objection.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason
)
SELECT
    cause.source,
    link.contact_id,
    link.constant_contact_id,
    ctct_email_digest(link.email_key),
    clock_timestamp(),
    link.opt_out_reason
FROM ctct_link AS link
CROSS JOIN
    LATERAL (
        SELECT 'flag' AS source
        WHERE
            NOT EXISTS (
                SELECT FROM ctct_objection AS heard
                WHERE
                    heard.contact_id = link.contact_id
                    AND heard.lifted_at IS NULL
                    AND heard.source = 'flag'
                    AND heard.constant_contact_id IS NOT DISTINCT FROM link.constant_contact_id
                    AND heard.email_digest IS NOT DISTINCT FROM ctct_email_digest(link.email_key)
            )
        UNION ALL
        SELECT 'asked' AS source
        WHERE
            link.requested_by_contact
            AND NOT EXISTS (
                SELECT FROM ctct_objection AS heard
                WHERE
                    heard.contact_id = link.contact_id
                    AND heard.source = 'asked'
                    AND (
                        heard.lifted_at IS NULL
                        OR EXISTS (
                            SELECT FROM ctct_objection AS flag
                            WHERE
                                flag.contact_id = link.contact_id
                                AND flag.source = 'flag'
                                AND flag.lifted_at IS NULL
                                AND flag.objected_at <= heard.lifted_at
                        )
                    )
            )
    ) AS cause
WHERE
    link.do_not_email
    AND (%(contact_ids)s::text[] IS NULL OR link.contact_id = any(%(contact_ids)s::text[]));

-- name: hear_merged
-- What a contact objected to, in the CRM or itself at Constant Contact, holds for the contact that
-- it was merged into. Grain: one row an objection.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by
)
SELECT DISTINCT
    objection.source,
    kept.contact_id,
    -- What was said at Constant Contact is taken back there.
    CASE
        WHEN objection.source IN ('flag', 'asked') THEN kept.constant_contact_id
        ELSE objection.constant_contact_id
    END,
    ctct_email_digest(kept.email_key),
    objection.objected_at,
    objection.reason,
    objection.told_by
FROM ctct_link AS merged
INNER JOIN ctct_link AS kept ON merged.merged_into = kept.contact_id
CROSS JOIN
    LATERAL (
        SELECT told.* FROM ctct_objection AS told
        WHERE told.contact_id = merged.contact_id AND told.source IN ('flag', 'asked')
        UNION ALL
        SELECT own.* FROM ctct_objection AS own
        WHERE
            own.constant_contact_id = merged.constant_contact_id
            AND own.contact_id IS NULL
            AND own.source IN ('vendor_contact', 'click')
    ) AS objection
WHERE
    merged.merged_into IS NOT NULL
    AND objection.lifted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.contact_id = kept.contact_id
            AND heard.source = objection.source
            AND heard.objected_at = objection.objected_at
    );

-- name: lift_opted_in
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
    -- A wish that came before there was a contact to name.
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

-- name: hear_vendor
-- Hear the opt-outs that the mirror shows, but for those that we made: a PUT or a creation of ours
-- took the permission, and the vendor dates no opt-out after it; or a PUT whose answer was lost may
-- have. The vendor's clock and ours may differ by an hour.
-- Parameters: constant_contact_id (null: all). Grain: one row a Constant Contact contact.
INSERT INTO ctct_objection (
    source, constant_contact_id, email_digest, objected_at, reason
)
SELECT
    CASE mirrored.opt_out_source WHEN 'Account' THEN 'vendor_account' ELSE 'vendor_contact' END,
    mirrored.contact_id,
    ctct_email_digest(mirrored.email_key),
    coalesce(mirrored.opt_out_date, mirrored.mirrored_at),
    mirrored.opt_out_reason
FROM ctct_contact AS mirrored
WHERE
    mirrored.permission_to_send = 'unsubscribed'
    AND mirrored.deleted_at IS NULL
    AND (
        %(constant_contact_id)s::text IS NULL
        OR mirrored.contact_id = %(constant_contact_id)s::text
    )
    AND NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.constant_contact_id = mirrored.contact_id
            AND (
                heard.lifted_at IS NULL
                -- What a person lifted is heard again only if the vendor dates a later opt-out.
                OR (heard.lifted_by IS NOT NULL AND heard.objected_at >= mirrored.opt_out_date)
            )
            AND heard.source
            = CASE mirrored.opt_out_source
                WHEN 'Account' THEN 'vendor_account' ELSE 'vendor_contact'
            END
    )
    AND NOT EXISTS (
        SELECT FROM ctct_consent AS ours
        WHERE
            ours.constant_contact_id = mirrored.contact_id
            AND ours.permission_after = 'unsubscribed'
            -- Or it made the account's opt-out, which was heard before unless it was ours, the
            -- contact's own.
            AND (
                ours.permission_before IS DISTINCT FROM 'unsubscribed'
                OR ours.decision = 'unsubscribed'
            )
            -- A source that is not shown contradicts nothing.
            AND coalesce(mirrored.opt_out_source, ours.opt_out_source_after, 'Account')
            = coalesce(ours.opt_out_source_after, 'Account')
            AND (
                mirrored.opt_out_date IS NULL
                OR mirrored.opt_out_date <= ours.decided_at + interval '1 hour'
            )
            -- An opt-in since then ended it.
            AND coalesce(mirrored.opt_in_date <= ours.decided_at, TRUE)
            AND NOT EXISTS (
                SELECT FROM ctct_consent AS later
                WHERE
                    later.constant_contact_id = ours.constant_contact_id
                    AND later.consent_id > ours.consent_id
                    AND later.decision = 'resubscribed'
            )
    )
    AND NOT EXISTS (
        SELECT FROM ctct_consent AS sent
        INNER JOIN crm_opt_out_change AS change ON sent.change_id = change.change_id
        WHERE
            sent.constant_contact_id = mirrored.contact_id
            AND sent.decision = 'unsubscribing'
            AND (
                sent.opt_out_source_after = 'Contact'
                OR mirrored.opt_out_source IS DISTINCT FROM 'Contact'
            )
            AND coalesce(
                mirrored.opt_out_date BETWEEN sent.decided_at - interval '1 hour'
                AND sent.decided_at + interval '1 hour',
                change.status = 'pending'
            )
            AND NOT ctct_is_answered(sent.change_id, sent.consent_id)
    );

-- name: find_mailable
-- Compare the register with the mirror: who objects by the CRM and may still be mailed, by any of
-- the three keys of the objection; and who opted out at Constant Contact while we opted them in,
-- which no condition on that PUT could prevent. Each becomes a change that waits, unless one does
-- already, a person rejected it since, or Constant Contact refused it. Clocks may differ by an
-- hour.
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
            -- A contact's wish does not wait behind a mass of others; nor what came after a person
            -- rejected that.
            AND (waiting.requested_by_contact OR NOT mailable.is_asked)
            AND NOT EXISTS (
                SELECT FROM ctct_hold AS hold
                WHERE
                    hold.hold_id = waiting.hold_id
                    AND hold.answer = 'rejected'
                    AND hold.answered_at < mailable.objected_at
            )
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

-- name: end_cut_over
-- Whether this is the first comparison of all after an upgrade. Grain: one row if it is, else none.
UPDATE ctct_cut_over
SET ended_at = clock_timestamp()
WHERE ended_at IS NULL
RETURNING is_the_only_one;

-- name: hold_cut_over
-- Hold what the first comparison after an upgrade found, for one person to answer.
-- Parameters: detail. Grain: one row.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('opt_outs', %(detail)s)
    RETURNING hold_id
),

held AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'held',
        processed_at = clock_timestamp(),
        hold_id = hold.hold_id,
        detail = %(detail)s
    FROM hold
    WHERE change.status = 'pending' AND change.is_found AND change.do_not_email
)

UPDATE ctct_cut_over
SET hold_id = hold.hold_id
FROM hold;

-- name: find_taken_back
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
            SELECT FROM ctct_objection AS objection
            WHERE
                objection.contact_id = link.contact_id
                AND (
                    objection.lifted_at IS NULL
                    OR (objection.lifted_by IS NOT NULL AND concerned.has_address IS NOT TRUE)
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

-- name: end_cut_over_of_opt_ins
-- Whether this is the first comparison after an upgrade that looks for opt-outs that nothing holds
-- any more. Grain: one row if it is, else none.
UPDATE ctct_cut_over
SET opt_ins_ended_at = clock_timestamp()
WHERE opt_ins_ended_at IS NULL
RETURNING is_the_only_one;

-- name: hold_taken_back
-- Hold what the first such comparison after an upgrade found, for one person to answer.
-- Parameters: detail, change_ids. Grain: one row a change.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('opt_ins', %(detail)s)
    RETURNING hold_id
)

UPDATE crm_opt_out_change AS change
SET
    status = 'held',
    processed_at = clock_timestamp(),
    hold_id = hold.hold_id,
    detail = %(detail)s
FROM hold
WHERE change.change_id = any(%(change_ids)s);

-- name: standing_objections
-- Which objections stand against emailing a contact. Parameters: contact_id, constant_contact_id,
-- address (each may be null). Grain: one row: whether the contact itself asked, as the CRM says;
-- whether it is the contact's own word at all, there or at Constant Contact; whether the CRM's flag
-- is set, of any contact that it concerns; whether it was erased.
SELECT
    coalesce(bool_or(source = 'asked'), FALSE) AS is_asked,
    coalesce(bool_or(source IN ('asked', 'vendor_contact', 'click')), FALSE) AS is_own,
    coalesce(bool_or(source = 'flag'), FALSE) AS is_flagged,
    coalesce(bool_or(source = 'erasure'), FALSE) AS is_erased
FROM ctct_standing_objections(
    %(contact_id)s::text, %(constant_contact_id)s::text, %(address)s::text
);

-- name: lift
-- A person lifts an objection: one of the CRM's, or the account's own at Constant Contact.
-- Not what a contact did at Constant Contact, which only the contact undoes; not an erasure; and a
-- flag that is set now is cleared in the CRM. Parameters: objection_id, lifted_by, evidence.
-- Grain: one row an objection.
UPDATE ctct_objection AS objection
SET
    lifted_at = clock_timestamp(),
    lifted_by = %(lifted_by)s,
    evidence = %(evidence)s
WHERE
    objection.objection_id = %(objection_id)s
    AND objection.lifted_at IS NULL
    AND objection.source IN ('flag', 'asked', 'vendor_account')
    AND NOT EXISTS (
        SELECT FROM ctct_link AS link
        WHERE link.contact_id = objection.contact_id AND link.do_not_email
    );

-- name: retry_refused
-- An opt-out that Constant Contact refused is tried again: an address may be refused for two days
-- only. After 20 hours first, then each time after as long as it has been tried already, and at
-- least once a week. Grain: one row a change.
UPDATE crm_opt_out_change
SET status = 'pending', processed_at = NULL
WHERE
    status = 'failed'
    AND do_not_email
    AND clock_timestamp() - processed_at > least(
        interval '7 days', greatest(interval '20 hours', processed_at - changed_at)
    );

-- name: lift_merged
-- Lift for a contact what another objected to that was merged into it and whose flag was cleared
-- since. Grain: one row an objection.
UPDATE ctct_objection AS objection
SET lifted_at = clock_timestamp(), evidence = merged.evidence
FROM (
    SELECT
        link.merged_into,
        lifted.objected_at,
        min(lifted.evidence) AS evidence
    FROM ctct_link AS link
    INNER JOIN ctct_objection AS lifted ON link.contact_id = lifted.contact_id
    INNER JOIN ctct_link AS kept ON link.merged_into = kept.contact_id
    WHERE
        link.merged_into IS NOT NULL
        AND lifted.source = 'flag'
        AND lifted.lifted_at IS NOT NULL
        -- Else it is its own, too.
        AND NOT kept.do_not_email
    GROUP BY link.merged_into, lifted.objected_at
) AS merged
WHERE
    objection.contact_id = merged.merged_into
    AND objection.objected_at = merged.objected_at
    AND objection.source = 'flag'
    AND objection.change_id IS NULL
    AND objection.lifted_at IS NULL;

-- name: kept_out
-- Why the comparison takes no opt-out of ours back of a contact that is unsubscribed at Constant
-- Contact and that no objection holds, each as consent/find_taken_back asks it. Parameters:
-- contact_id. Grain: one row where the contact is linked, none else.
SELECT
    link.do_not_email IS NULL AS flag_is_unknown,
    taken.consent_id IS NULL AS is_not_ours,
    exists(
        SELECT FROM ctct_consent AS later
        WHERE
            later.constant_contact_id = mirrored.contact_id
            AND later.consent_id > taken.consent_id
            AND later.decision = 'dismissed'
    ) AS was_dismissed,
    exists(
        SELECT FROM ctct_restore AS restore
        WHERE restore.settled_at >= taken.decided_at
    ) AS was_restored,
    exists(
        SELECT FROM crm_opt_out_change AS refused
        WHERE
            refused.status = 'failed'
            AND NOT refused.do_not_email
            AND refused.constant_contact_id = mirrored.contact_id
            AND refused.changed_at >= taken.decided_at
    ) AS was_refused,
    exists(
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
