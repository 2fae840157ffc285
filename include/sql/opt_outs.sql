-- name: opt_outs_waiting
-- What wakes the DAG: the newest change that waits, and the newest stop of the circuit breaker that
-- no question was asked about yet. Grain: one row; `waiting` is null where there is nothing.
SELECT
    nullif(
        concat_ws(
            ' ',
            (
                SELECT max(change_id)
                FROM crm_opt_out_change
                WHERE status = 'pending'
            ),
            (
                SELECT 'hold ' || max(hold_id)
                FROM ctct_hold
                WHERE noun <> 'memberships' AND asked_at IS NULL AND answer IS NULL
            )
        ),
        ''
    ) AS waiting;

-- name: backlog
-- How the outboxes stand: what waits, for how long in seconds, what waits for a person; and how
-- long the opt-outs of the last hour took from the CRM's commit to the vendor's answer. Each part
-- has its partial index: what is done is all that ever was, and this is asked at every wake-up.
-- Grain: one row; a column is a noun and a measure.
SELECT
    waiting_opt_outs.*,
    failed_opt_outs.*,
    done_opt_outs.*,
    pending_memberships.*,
    unmet_memberships.*
FROM (
    SELECT
        count(*) FILTER (WHERE status = 'pending') AS opt_outs__pending,
        count(*) FILTER (WHERE status = 'held') AS opt_outs__held,
        coalesce(
            extract(
                EPOCH FROM clock_timestamp()
                - min(changed_at) FILTER (WHERE status = 'pending' AND do_not_email)
            ),
            0
        ) AS opt_outs__oldest_pending_s
    FROM crm_opt_out_change
    WHERE status IN ('pending', 'held')
) AS waiting_opt_outs
CROSS JOIN (
    SELECT count(*) AS opt_outs__failed
    FROM crm_opt_out_change
    WHERE status = 'failed'
) AS failed_opt_outs
CROSS JOIN (
    SELECT
        coalesce(
            extract(EPOCH FROM max(processed_at - changed_at) FILTER (WHERE do_not_email)), 0
        ) AS opt_outs__slowest_of_last_hour_s
    FROM crm_opt_out_change
    WHERE status = 'done' AND processed_at > now() - interval '1 hour'
) AS done_opt_outs
CROSS JOIN (
    SELECT
        count(*) AS memberships__pending,
        coalesce(
            extract(EPOCH FROM clock_timestamp() - min(requested_at)), 0
        ) AS memberships__oldest_pending_s
    FROM crm_list_membership
    WHERE status = 'pending'
) AS pending_memberships
CROSS JOIN (
    SELECT
        count(*) FILTER (WHERE status = 'held') AS memberships__held,
        count(*) FILTER (WHERE status = 'failed') AS memberships__failed
    FROM crm_list_membership
    WHERE status IN ('held', 'failed')
) AS unmet_memberships;

-- name: open_opt_outs
-- What of the outbox a run is about, for the decision to begin one: what is done is all that ever
-- was, and not read. Grain: one row.
SELECT
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'held') AS held
FROM crm_opt_out_change
WHERE status IN ('pending', 'held');

-- name: sent_without_answer
-- The first PUT for a change that was about to be sent and of which nothing was heard since, if it
-- may have made the opt-out that is shown: by the same source, or one that the vendor leaves open,
-- and not long after it. Parameters: change_id, opt_out_source, opt_out_date.
-- Grain: one row, or none.
SELECT
    sent.permission_before,
    sent.opt_out_source_before
FROM ctct_consent AS sent
WHERE
    sent.change_id = %(change_id)s
    AND sent.decision = 'unsubscribing'
    AND (
        sent.opt_out_source_after = 'Contact'
        OR %(opt_out_source)s::text IS DISTINCT FROM 'Contact'
    )
    -- That the contact asks, too, is shown, or the PUT did not arrive.
    AND (
        sent.permission_before IS DISTINCT FROM 'unsubscribed'
        OR %(opt_out_source)s::text = 'Contact'
    )
    AND coalesce(%(opt_out_date)s::timestamptz <= sent.decided_at + interval '1 hour', TRUE)
    AND NOT ctct_is_answered(sent.change_id, sent.consent_id)
ORDER BY sent.consent_id
LIMIT 1;

-- name: permission_taken
-- What the vendor might send a contact before an opt-out of ours last took it away, whichever CRM
-- contact that was for. Parameters: constant_contact_id. Grain: one row, or none where none did.
SELECT permission_before
FROM ctct_consent
WHERE
    constant_contact_id = %(constant_contact_id)s
    AND permission_before IS DISTINCT FROM 'unsubscribed'
    AND decision <> 'created'
    AND (decision IN ('unsubscribed', 'unsubscribing') OR permission_after = 'unsubscribed')
ORDER BY consent_id DESC
LIMIT 1;

-- name: add_consent
-- Keep what the rules decided about a change, and on which call it rests. Parameters: one a column.
-- Grain: one row.
INSERT INTO ctct_consent (
    change_id, decision, detail, constant_contact_id,
    permission_before, opt_out_source_before, permission_after, opt_out_source_after,
    call_method, called_at, call_status, request_id
)
VALUES (
    %(change_id)s, %(decision)s, %(detail)s, %(constant_contact_id)s,
    %(permission_before)s, %(opt_out_source_before)s,
    %(permission_after)s, %(opt_out_source_after)s,
    %(call_method)s, %(called_at)s, %(call_status)s, %(request_id)s
);

-- name: lock_contact
-- One edit at a time of one of the vendor's contacts. Parameters: constant_contact_id.
-- Grain: one row; waits for the session that is at it, and holds to the transaction's end.
SELECT pg_advisory_xact_lock(hashtextextended(%(constant_contact_id)s, 0));

-- name: count_mass_opt_out
-- What the circuit breaker weighs over a rolling day. Parameters: by_contact (of the changes that
-- the contacts asked for, or of the others: a mass of the one must not hold up the other).
-- Grain: one row: contacts that waiting changes would unsubscribe, and those that were unsubscribed
-- within the day besides (what a person released is not weighed again); 0 where none waits.
WITH named AS (
    SELECT DISTINCT
        coalesce(
            CASE WHEN change.is_found THEN change.constant_contact_id END,
            crm.constant_contact_id,
            change.constant_contact_id
        ) AS constant_contact_id
    FROM crm_opt_out_change AS change
    LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
    WHERE
        change.status = 'pending'
        AND change.do_not_email
        AND change.released_at IS NULL
        AND coalesce(change.requested_by_contact, FALSE) = %(by_contact)s
),

waiting AS (
    SELECT count(*) AS contacts
    FROM named
    WHERE
        named.constant_contact_id IS NOT NULL
        -- Who is unsubscribed already is reached by nothing.
        AND NOT EXISTS (
            SELECT FROM ctct_contact AS mirrored
            WHERE
                mirrored.contact_id = named.constant_contact_id
                AND mirrored.permission_to_send = 'unsubscribed'
        )
),

carried AS (
    SELECT DISTINCT consent.constant_contact_id
    FROM crm_opt_out_change AS change
    INNER JOIN ctct_consent AS consent ON change.change_id = consent.change_id
    WHERE
        change.status = 'done'
        AND change.processed_at > clock_timestamp() - interval '1 day'
        AND change.do_not_email
        AND change.released_at IS NULL
        AND coalesce(change.requested_by_contact, FALSE) = %(by_contact)s
        AND consent.decision = 'unsubscribed'
        AND consent.permission_after = 'unsubscribed'
)

SELECT
    waiting.contacts AS waiting,
    CASE WHEN waiting.contacts > 0 THEN (SELECT count(*) FROM carried) ELSE 0 END AS carried
FROM waiting;

-- name: hold_opt_outs
-- The circuit breaker: hold what would reach too many at once, for one person to answer.
-- Parameters: detail, do_not_email, by_contact (as they were weighed). Grain: one row a change.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES (CASE WHEN %(do_not_email)s THEN 'opt_outs' ELSE 'opt_ins' END, %(detail)s)
    RETURNING hold_id
),

held AS (
    UPDATE crm_opt_out_change
    SET
        status = 'held',
        processed_at = clock_timestamp(),
        detail = %(detail)s,
        hold_id = hold.hold_id
    FROM hold
    WHERE
        status = 'pending'
        AND do_not_email = %(do_not_email)s
        AND released_at IS NULL
        AND (
            NOT do_not_email
            OR coalesce(requested_by_contact, FALSE) = %(by_contact)s
        )
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'held',
    %(detail)s,
    constant_contact_id
FROM held;

-- name: set_aside
-- Say why a change that was tried waits on. Parameters: change_id, detail. Grain: one row.
UPDATE crm_opt_out_change
SET
    detail = %(detail)s,
    attempts = attempts + 1
WHERE change_id = %(change_id)s;

-- name: finish_opt_out
-- Keep what became of a change that waits, and of which contact. Parameters: change_id, status,
-- detail, constant_contact_id. Grain: one row, unless another worker has ended it.
UPDATE crm_opt_out_change
SET
    status = %(status)s,
    detail = %(detail)s,
    constant_contact_id = coalesce(%(constant_contact_id)s, constant_contact_id),
    attempts = attempts + 1,
    processed_at = clock_timestamp()
WHERE change_id = %(change_id)s AND status = 'pending';

-- name: opted_in_since
-- Whether the last that we did about a contact was to opt it in, after an opt-out that is shown: a
-- copy of the vendor's from before may answer. Parameters: constant_contact_id, opt_out_date (null:
-- not told). Grain: one row if it was, else none.
SELECT last.decided_at
FROM (
    SELECT
        decision,
        decided_at
    FROM ctct_consent
    WHERE
        constant_contact_id = %(constant_contact_id)s
        AND decision IN (
            'resubscribed', 'resubscribing', 'unsubscribed', 'unsubscribing', 'created'
        )
    ORDER BY consent_id DESC
    LIMIT 1
) AS last
WHERE
    last.decision IN ('resubscribed', 'resubscribing')
    AND coalesce(%(opt_out_date)s::timestamptz <= last.decided_at, TRUE);

-- name: opt_out_standing
-- How a change stands now that its contact is ours: the CRM's flag as last seen, and the
-- contact that it is about. Parameters: contact_id, change_id. Grain: one row; `do_not_email` is
-- null where the CRM says nothing or the contact is gone; `is_known` is false where neither an id
-- nor an address leads to a person.
SELECT
    CASE WHEN link.absence_hold_id IS NULL THEN link.do_not_email END AS do_not_email,
    link.contact_id IS NOT NULL AS is_in_crm,
    link.contact_id IS NOT NULL
    OR change.email_digest IS NOT NULL
    OR EXISTS (
        SELECT FROM ctct_left_contact AS gone
        WHERE gone.contact_id = change.contact_id
    ) AS is_known,
    CASE
        WHEN change.is_found THEN change.constant_contact_id
        ELSE coalesce(link.constant_contact_id, change.constant_contact_id)
    END AS constant_contact_id
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS link ON change.contact_id = link.contact_id
WHERE change.change_id = %(change_id)s;

-- name: not_found
-- Whether the vendor has said before, an hour ago or more, that it has no such contact; and when
-- that counts from: now.
-- Parameters: constant_contact_id. Grain: one row if it did, else none.
SELECT clock_timestamp() AS now
WHERE
    EXISTS (
        SELECT FROM ctct_consent AS answer
        WHERE
            answer.constant_contact_id = %(constant_contact_id)s
            AND answer.call_status = 404
            AND answer.decided_at < clock_timestamp() - interval '1 hour'
    );

-- name: release_old_wishes
-- What contacts asked for themselves goes out after three days unless a person rejected it: the law
-- gives ten. Grain: one row a change.
WITH released AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'pending',
        released_at = clock_timestamp(),
        processed_at = NULL,
        detail = 'Held for three days, and asked for by the contact.'
    WHERE
        change.status = 'held'
        AND change.do_not_email
        AND change.requested_by_contact
        AND change.processed_at < clock_timestamp() - interval '72 hours'
        AND NOT EXISTS (
            SELECT FROM ctct_hold AS hold
            WHERE hold.hold_id = change.hold_id AND hold.answer = 'rejected'
        )
    RETURNING change.change_id, change.detail, change.constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'released',
    detail,
    constant_contact_id
FROM released;

-- name: newest_opt_out
-- Whether changes of the flag wait, and which came last: how far a run has to carry.
-- Grain: one row; `change_id` is null where nothing waits.
SELECT max(change_id) AS change_id
FROM crm_opt_out_change
WHERE status = 'pending';

-- name: unknown_contacts
-- Changes of Do Not Email that wait, of contacts whose id was never seen in the CRM; ours to the
-- transaction's end. Rows that another worker is at are left to it.
-- Parameters: change_id (null: any). Grain: one row a change.
SELECT
    change.change_id,
    change.contact_id
FROM crm_opt_out_change AS change
WHERE
    change.status = 'pending'
    AND NOT change.is_found
    AND (%(change_id)s::bigint IS NULL OR change.change_id = %(change_id)s)
    AND NOT EXISTS (
        SELECT FROM ctct_link AS known
        WHERE known.contact_id = change.contact_id
    )
FOR UPDATE OF change SKIP LOCKED;

-- name: spell_contact
-- Give a change the id that the CRM has, and what the register heard of it meanwhile the keys of
-- that contact. Parameters: change_id, contact_id. Grain: one row an objection.
WITH spelled AS (
    UPDATE crm_opt_out_change
    SET contact_id = %(contact_id)s
    WHERE change_id = %(change_id)s
    RETURNING change_id, contact_id
)

UPDATE ctct_objection AS objection
SET
    contact_id = spelled.contact_id,
    constant_contact_id = coalesce(objection.constant_contact_id, link.constant_contact_id),
    email_digest = coalesce(objection.email_digest, ctct_email_digest(link.email_key))
FROM spelled
LEFT JOIN ctct_link AS link ON spelled.contact_id = link.contact_id
WHERE objection.change_id = spelled.change_id;

-- name: waiting
-- Changes of Do Not Email that wait, or are held; which are of a backlog, a mass that a person
-- released. Grain: one row a change.
SELECT
    change_id,
    contact_id,
    status,
    released_at IS NOT NULL AND requested_by_contact IS NOT TRUE AS is_backlog
FROM crm_opt_out_change
WHERE status IN ('pending', 'held');

-- name: supersede_opt_outs
-- Changes that the CRM has taken back: a flag that was cleared before its opt-out went out, and
-- one that is set again. The CRM's state counts, for the numbers of changes are not the order of
-- their commits. What a contact asked for is never taken back so. Rows that another worker is at
-- are left to it. Parameters: change_ids (those that waited when the CRM was looked at).
-- Grain: one row a change.
WITH superseded AS (
    UPDATE crm_opt_out_change
    SET
        status = 'superseded',
        processed_at = clock_timestamp(),
        detail = CASE
            WHEN do_not_email THEN 'A newer change of this contact counts.'
            ELSE 'Do Not Email is set in the CRM, or a newer change counts.'
        END
    WHERE
        change_id IN (
            SELECT change.change_id
            FROM crm_opt_out_change AS change
            INNER JOIN ctct_link AS link ON change.contact_id = link.contact_id
            WHERE
                change.change_id = any(%(change_ids)s)
                AND change.status IN ('pending', 'held')
                AND (
                    (
                        NOT change.do_not_email
                        AND (
                            link.do_not_email
                            OR (
                                NOT change.is_found
                                AND EXISTS (
                                    SELECT FROM crm_opt_out_change AS newer
                                    WHERE
                                        newer.contact_id = change.contact_id
                                        AND newer.change_id > change.change_id
                                        AND newer.status = 'pending'
                                        AND NOT newer.do_not_email
                                        AND NOT newer.is_found
                                )
                            )
                        )
                    )
                    OR (
                        change.do_not_email
                        -- What was found is found again, if it still counts.
                        AND (NOT change.is_found OR change.status = 'held')
                        AND change.requested_by_contact IS NOT TRUE
                        AND link.absence_hold_id IS NULL
                        AND (
                            NOT link.do_not_email
                            -- The same once more.
                            OR EXISTS (
                                SELECT FROM crm_opt_out_change AS newer
                                WHERE
                                    newer.contact_id = change.contact_id
                                    AND newer.change_id > change.change_id
                                    AND newer.status = 'pending'
                                    AND newer.do_not_email
                                    AND NOT newer.is_found
                            )
                        )
                    )
                )
            FOR UPDATE OF change SKIP LOCKED
        )
    RETURNING change_id, detail, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'superseded',
    detail,
    constant_contact_id
FROM superseded
RETURNING change_id;

-- name: retry_opt_out
-- A person wants a change that Constant Contact refused to be tried again; only the newest of its
-- contact, so that an old yes never overrules a newer no (nor an old no a newer yes).
-- Parameters: change_id, decided_by. Grain: one row, if the change failed and is the newest.
WITH retried AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'pending',
        processed_at = NULL,
        detail = 'Tried again by a person''s wish.'
    WHERE
        change.change_id = %(change_id)s
        AND change.status = 'failed'
        AND NOT EXISTS (
            SELECT FROM crm_opt_out_change AS newer
            WHERE newer.contact_id = change.contact_id AND newer.change_id > change.change_id
        )
    RETURNING change.change_id, change.constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, decided_by, constant_contact_id)
SELECT
    change_id,
    'retried',
    %(decided_by)s,
    constant_contact_id
FROM retried;

-- name: claim_opt_out
-- Take the next waiting change: what contacts asked for first, then other opt-outs, then opt-ins,
-- and last the backlog, a mass that a person released. It is ours to the transaction's end.
-- Parameters: upto (the newest change that was weighed), skip (change ids that this run has set
-- aside), with_backlog. Grain: one row, or none when nothing waits.
SELECT
    change.change_id,
    change.contact_id,
    change.do_not_email,
    change.reason,
    change.is_found,
    change.attempts,
    change.released_at IS NOT NULL AND change.requested_by_contact IS NOT TRUE AS is_backlog,
    CASE
        WHEN change.is_found THEN change.constant_contact_id
        ELSE coalesce(crm.constant_contact_id, change.constant_contact_id)
    END AS constant_contact_id,
    coalesce(change.requested_by_contact, FALSE) AS requested_by_contact
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    change.status = 'pending'
    AND change.change_id <= %(upto)s
    AND change.change_id <> all(%(skip)s)
    AND (
        %(with_backlog)s
        OR change.released_at IS NULL
        OR change.requested_by_contact IS TRUE
    )
ORDER BY
    is_backlog ASC,
    change.do_not_email DESC,
    coalesce(change.requested_by_contact, FALSE) DESC,
    change.change_id ASC
LIMIT 1
FOR UPDATE OF change SKIP LOCKED;

-- name: opt_out_changes
-- The changes of the outbox that a person asks for, in no order. Parameters: status ('': any),
-- do_not_email and requested_by_contact (null: any). Grain: one row a change.
SELECT
    change.change_id,
    change.contact_id,
    change.do_not_email,
    change.reason,
    change.changed_by,
    change.changed_at,
    change.status,
    change.attempts,
    change.processed_at,
    change.detail,
    change.hold_id,
    coalesce(change.requested_by_contact, FALSE) AS requested_by_contact,
    nullif(concat_ws(' ', crm.first_name, crm.last_name), '') AS name
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    (%(status)s = '' OR change.status = %(status)s)
    AND (%(do_not_email)s::boolean IS NULL OR change.do_not_email = %(do_not_email)s::boolean)
    AND (
        %(requested_by_contact)s::boolean IS NULL
        -- As its index has it.
        OR (%(requested_by_contact)s::boolean AND change.requested_by_contact)
        OR (NOT %(requested_by_contact)s::boolean AND change.requested_by_contact IS NOT TRUE)
    );

-- name: count_opt_outs
-- How many changes of the outbox have each status, counted no further than a page tells.
-- Parameters: statuses (array), most. Grain: one row a status.
SELECT
    asked.status,
    (
        SELECT count(*)
        FROM (
            SELECT FROM crm_opt_out_change AS change
            WHERE change.status = asked.status
            ORDER BY change.change_id
            LIMIT %(most)s
        ) AS counted
    ) AS changes
FROM unnest(%(statuses)s::text[]) AS asked (status);

-- name: opt_out_change
-- One change of the outbox, and its contact on both sides. Parameters: change_id.
-- Grain: one row, or none.
SELECT
    change.change_id,
    change.contact_id,
    change.do_not_email,
    change.reason,
    change.changed_by,
    change.changed_at,
    change.status,
    change.attempts,
    change.processed_at,
    change.detail,
    change.hold_id,
    mirrored.email_address,
    mirrored.permission_to_send,
    mirrored.opt_out_source,
    mirrored.opt_out_date,
    about.constant_contact_id,
    coalesce(change.requested_by_contact, FALSE) AS requested_by_contact,
    concat_ws(' ', crm.first_name, crm.last_name) AS name
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
CROSS JOIN
    LATERAL (
        SELECT
            CASE
                WHEN change.is_found THEN change.constant_contact_id
                ELSE coalesce(crm.constant_contact_id, change.constant_contact_id)
            END AS constant_contact_id
    ) AS about
LEFT JOIN ctct_contact AS mirrored ON about.constant_contact_id = mirrored.contact_id
WHERE change.change_id = %(change_id)s;

-- name: changes_of_contact
-- A contact's changes of Do Not Email, the newest first, each with what was decided about it.
-- Parameters: contact_id, most. Grain: one row a change and decision; a change without any has one.
SELECT
    change.change_id,
    change.changed_at,
    change.do_not_email,
    change.reason,
    change.requested_by_contact,
    change.changed_by,
    change.status,
    change.detail,
    consent.decided_at,
    consent.decision,
    consent.detail AS decision_detail,
    consent.decided_by,
    consent.permission_before,
    consent.permission_after,
    consent.call_method,
    consent.call_status,
    consent.request_id
FROM crm_opt_out_change AS change
LEFT JOIN ctct_consent AS consent ON change.change_id = consent.change_id
WHERE change.contact_id = %(contact_id)s
ORDER BY change.change_id DESC, consent.consent_id DESC
LIMIT %(most)s;

-- name: reject_held
-- A person says no to what the circuit breaker holds: it stays held.
-- Parameters: hold_id, decided_by. Grain: one row a change.
WITH rejected AS (
    UPDATE crm_opt_out_change
    SET
        detail = 'A person said no to this mass change. '
        || CASE
            WHEN do_not_email THEN 'Clear Do Not Email and set it again if it is meant.'
            ELSE 'Set Do Not Email and clear it again if it is meant.'
        END
    WHERE status = 'held' AND hold_id = %(hold_id)s
    RETURNING change_id, detail, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, decided_by, constant_contact_id)
SELECT
    change_id,
    'rejected',
    detail,
    %(decided_by)s,
    constant_contact_id
FROM rejected;

-- name: release_held
-- A person releases what one stop of the circuit breaker holds. Parameters: hold_id, decided_by.
-- Grain: one row a change.
WITH released AS (
    UPDATE crm_opt_out_change
    SET
        status = 'pending',
        released_at = clock_timestamp(),
        processed_at = NULL,
        detail = 'Released by a person.'
    WHERE status = 'held' AND hold_id = %(hold_id)s::bigint
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, decided_by, constant_contact_id)
SELECT
    change_id,
    'released',
    %(decided_by)s,
    constant_contact_id
FROM released;

-- name: show_held
-- What a person sees before the answer. Parameters: hold_id. Grain: one row a reason and a person
-- who changed the flag, the most frequent first, with ten of the contacts.
SELECT
    coalesce(reason, 'no reason given') AS reason,
    coalesce(changed_by, 'unknown') AS changed_by,
    count(*) AS contacts,
    min(changed_at) AS first_changed_at,
    max(changed_at) AS last_changed_at,
    (array_agg(contact_id ORDER BY change_id))[:10] AS sample
FROM crm_opt_out_change
WHERE status = 'held' AND hold_id = %(hold_id)s
GROUP BY reason, changed_by
ORDER BY count(*) DESC, reason ASC;
