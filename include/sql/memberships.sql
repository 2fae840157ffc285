-- name: memberships_waiting
-- What wakes the DAG: the newest request that waits, and the newest stop of the circuit breaker
-- that no question was asked about yet. Grain: one row; `waiting` is null where there is nothing.
SELECT
    nullif(
        concat_ws(
            ' ',
            (
                SELECT max(requested_at)
                FROM crm_list_membership
                WHERE status = 'pending'
            ),
            (
                SELECT 'hold ' || max(hold_id)
                FROM ctct_hold
                WHERE noun = 'memberships' AND asked_at IS NULL AND answer IS NULL
            )
        ),
        ''
    ) AS waiting;

-- name: open_memberships
-- What of the requests a run is about, for the decision to begin one: what is done is all that ever
-- was, and not read. Grain: one row. `in_flight` counts calls that the vendor works on: they are to
-- be looked at even if nothing is pending any more.
SELECT
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'pending'
    ) AS pending,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'held'
    ) AS held,
    (
        SELECT count(*) FROM ctct_bulk_activity
        WHERE state <> 'done' AND state <> 'planned'
    ) AS in_flight;

-- name: retry_refused
-- Requests that Constant Contact refused, or that were blocked on the way, are tried again: an
-- address may be refused for two days only. After 20 hours first, then each time after as long as
-- it has been tried already, for sixty days. The request keeps its time, by a hair, since it is no
-- newer wish; and what was asked for before the CRM was restored is tried again by a person only.
-- Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = 'pending',
    requested_at = membership.requested_at + interval '1 microsecond'
WHERE
    membership.status IN ('rejected', 'failed')
    AND (
        membership.status = 'failed'
        OR membership.refused_at >= membership.processed_at
    )
    AND clock_timestamp() - membership.processed_at
    > greatest(interval '20 hours', membership.processed_at - membership.requested_at)
    AND membership.processed_at > clock_timestamp() - interval '60 days'
    AND membership.requested_at > all(SELECT restored.settled_at FROM ctct_restore AS restored);

-- name: planned_calls
-- The calls to be sent, those that take someone off a list first.
-- Parameters: kinds (array). Grain: one row a call.
SELECT
    bulk_id,
    kind,
    list_ids
FROM ctct_bulk_activity
WHERE state = 'planned' AND kind = any(%(kinds)s)
ORDER BY kind <> 'remove', bulk_id;

-- name: save_bulk_job
-- Keep what became of a call. Parameters: bulk_id, state, and where they are news: activity_id,
-- is_adopted, vendor_state, counts (JSON), adds_up, error. Grain: one row.
UPDATE ctct_bulk_activity
SET
    state = %(state)s,
    activity_id = coalesce(%(activity_id)s, activity_id),
    is_adopted = coalesce(%(is_adopted)s, is_adopted),
    vendor_state = coalesce(%(vendor_state)s, vendor_state),
    counts = coalesce(%(counts)s::jsonb, counts),
    adds_up = coalesce(%(adds_up)s, adds_up),
    error = coalesce(%(error)s, error),
    ended_at = CASE WHEN %(state)s IN ('ended', 'done') THEN clock_timestamp() END
WHERE bulk_id = %(bulk_id)s;

-- name: forget_bulk_job
-- A call that never reached the vendor leaves nothing. Parameters: bulk_id. Grain: one row.
DELETE FROM ctct_bulk_activity
WHERE bulk_id = %(bulk_id)s;

-- name: open_bulk_jobs
-- The calls that were sent and are not decided, and how long ago.
-- Parameters: kinds (array). Grain: one row a call.
SELECT
    bulk_id,
    kind,
    list_ids,
    state,
    contacts,
    activity_id,
    is_adopted,
    adds_up,
    vendor_state,
    error,
    extract(EPOCH FROM clock_timestamp() - sent_at)::double precision AS age_s
FROM ctct_bulk_activity
WHERE state IN ('sending', 'queued', 'ended') AND kind = any(%(kinds)s)
ORDER BY bulk_id;

-- name: known_bulk_job
-- Whether an activity of the vendor's is ours already. Parameters: activity_id.
-- Grain: one row or none.
SELECT bulk_id FROM ctct_bulk_activity
WHERE activity_id = %(activity_id)s;

-- name: mirror_changes
-- The mirror learns what ended calls did, where their counters say that all of it was done.
-- Grain: one row a contact of the vendor.
WITH changed AS (
    SELECT
        carried.target,
        carried.list_id,
        carried.action
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    WHERE activity.state = 'ended' AND activity.adds_up AND activity.kind IN ('add', 'remove')
),

kept AS (
    SELECT
        mirrored.contact_id AS target,
        had.list_id,
        'add' AS action
    FROM ctct_contact AS mirrored
    CROSS JOIN unnest(mirrored.list_ids) AS had (list_id)
    WHERE mirrored.contact_id IN (SELECT target FROM changed)
),

-- On a list is who was added, and who was there and is not removed.
now_on AS (
    SELECT
        coalesce(kept.target, changed.target) AS target,
        coalesce(kept.list_id, changed.list_id) AS list_id
    FROM kept
    FULL OUTER JOIN changed ON kept.target = changed.target AND kept.list_id = changed.list_id
    WHERE coalesce(changed.action, kept.action) = 'add'
)

UPDATE ctct_contact AS mirrored
SET
    list_ids = coalesce(lists.list_ids, '{}'),
    mirrored_at = clock_timestamp()
FROM (SELECT DISTINCT target FROM changed) AS who
LEFT JOIN (
    SELECT
        target,
        array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
    FROM now_on
    GROUP BY target
) AS lists ON who.target = lists.target
WHERE mirrored.contact_id = who.target;

-- name: finish_ended
-- Decide the requests of ended calls: done where the counters say that all went through, or the
-- mirror that this one did. A request that was made again meanwhile is not touched.
-- Grain: one row: how many requests are done by kind of call, and contacts that are new.
WITH finished AS (
    UPDATE crm_list_membership AS membership
    SET
        status = 'done',
        processed_at = clock_timestamp(),
        detail = CASE activity.kind
            WHEN 'add' THEN 'Put on the list.'
            WHEN 'remove' THEN 'Taken off the list.'
            ELSE 'Created at Constant Contact and put on the list.'
        END
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    LEFT JOIN ctct_contact AS by_id ON carried.target = by_id.contact_id
    LEFT JOIN ctct_contact AS by_address
        ON carried.target = by_address.email_key AND by_address.deleted_at IS NULL
    WHERE
        activity.state = 'ended'
        AND activity.kind IN ('add', 'remove', 'import')
        AND membership.contact_id = carried.contact_id
        AND membership.list_id = carried.list_id
        AND membership.status = 'pending'
        AND membership.action = carried.action
        AND membership.requested_at = carried.requested_at
        AND (
            activity.adds_up
            OR CASE activity.kind
                WHEN 'add' THEN carried.list_id = any(by_id.list_ids)
                -- Only a mirror that is newer than the call shows that it took a contact off.
                WHEN 'remove'
                    THEN
                        activity.vendor_state = 'completed'
                        AND by_id.mirrored_at > activity.sent_at
                        AND NOT carried.list_id = any(by_id.list_ids)
                ELSE carried.list_id = any(by_address.list_ids)
            END
        )
    RETURNING activity.kind, carried.target
)

SELECT
    count(*) FILTER (WHERE kind IN ('add', 'import')) AS added,
    count(*) FILTER (WHERE kind = 'remove') AS removed,
    count(DISTINCT target) FILTER (WHERE kind = 'import') AS created
FROM finished;

-- name: close_ended
-- Each row of the ended calls is decided, or free to be routed again. Grain: one row a call.
UPDATE ctct_bulk_activity
SET state = 'done'
WHERE state = 'ended';

-- name: undecided
-- Whom to ask after: contacts of ended calls that add or remove, where neither the counters nor a
-- mirror that is newer than the call's end says what became of them: what was mirrored while the
-- vendor worked on it may show the lists of before. Grain: one row a contact of the vendor.
SELECT DISTINCT carried.target
FROM ctct_bulk_activity AS activity
INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
INNER JOIN ctct_contact AS mirrored ON carried.target = mirrored.contact_id
WHERE
    activity.state = 'ended'
    AND activity.kind IN ('add', 'remove')
    AND activity.vendor_state = 'completed'
    AND NOT coalesce(activity.adds_up, FALSE)
    AND mirrored.mirrored_at <= activity.ended_at
    AND mirrored.deleted_at IS NULL
ORDER BY carried.target;

-- name: new_contacts
-- What the vendor gets of new contacts: address and names, nothing else; of CRM contacts that
-- share an address the first has the names. Parameters: bulk_id, name_chars.
-- Grain: one row an address, and what the gate answers.
SELECT DISTINCT ON (carried.target)
    carried.target AS email,
    gate.answer AS gate,
    left(btrim(crm.first_name), %(name_chars)s) AS first_name,
    left(btrim(crm.last_name), %(name_chars)s) AS last_name
FROM ctct_bulk_activity_row AS carried
INNER JOIN ctct_link AS crm ON carried.contact_id = crm.contact_id
CROSS JOIN LATERAL ctct_gate(carried.contact_id, NULL, carried.target) AS gate
WHERE carried.bulk_id = %(bulk_id)s
ORDER BY carried.target ASC, carried.contact_id ASC;

-- name: targets
-- The vendor's contacts that a call is about. Parameters: bulk_id. Grain: one row a contact.
SELECT DISTINCT target FROM ctct_bulk_activity_row
WHERE bulk_id = %(bulk_id)s
ORDER BY target;

-- name: request_memberships
-- Write requests for CRM contacts, as wishes of the moment that a person had them: one that waits
-- for the same already stays as it is, and so does what was wanted later, of the contact
-- or of another with the same link or address.
-- Parameters: contact_id (array), list_id, action, asked_at. Grain: one row a contact that the CRM
-- has.
WITH newer AS MATERIALIZED (
    SELECT
        crm.constant_contact_id,
        crm.email_key
    FROM crm_list_membership AS later
    INNER JOIN ctct_link AS crm ON later.contact_id = crm.contact_id
    WHERE
        later.requested_at >= %(asked_at)s::timestamptz
        AND later.list_id = %(list_id)s
        AND later.action <> %(action)s
)

INSERT INTO crm_list_membership AS membership (contact_id, list_id, action, requested_at)
SELECT
    crm.contact_id,
    %(list_id)s,
    %(action)s,
    -- Airflow's clock, where it is the one, may be ahead of ours.
    least(%(asked_at)s::timestamptz, clock_timestamp())
FROM ctct_link AS crm
WHERE
    crm.contact_id = any(%(contact_id)s::text[])
    AND NOT EXISTS (
        SELECT FROM newer
        WHERE newer.constant_contact_id = crm.constant_contact_id
    )
    AND NOT EXISTS (
        SELECT FROM newer
        WHERE newer.email_key = crm.email_key
    )
ON CONFLICT (contact_id, list_id) DO UPDATE
    SET
        action = excluded.action,
        requested_at = excluded.requested_at,
        status = 'pending',
        processed_at = NULL,
        released_at = NULL,
        hold_id = NULL,
        detail = NULL
    WHERE
    membership.requested_at < excluded.requested_at
    AND (membership.status <> 'pending' OR membership.action <> excluded.action);

-- name: count_overruled
-- How many of these CRM contacts have no request of that kind waiting right after it was written:
-- those for which something else was wanted later. Parameters: contact_id (array), list_id,
-- action. Grain: one row.
SELECT count(*) AS overruled
FROM ctct_link AS crm
WHERE
    crm.contact_id = any(%(contact_id)s::text[])
    AND NOT EXISTS (
        SELECT FROM crm_list_membership AS membership
        WHERE
            membership.contact_id = crm.contact_id
            AND membership.list_id = %(list_id)s
            AND membership.action = %(action)s
            AND membership.status = 'pending'
    );

-- name: want_chosen
-- Ask for a membership of each of these CRM contacts, without writing it.
-- Parameters: contact_id (array), list_id, action. Grain: one row a contact that the CRM has.
INSERT INTO wanted_membership (contact_id, list_id, action, requested_at)
SELECT
    contact_id,
    %(list_id)s,
    %(action)s,
    now()
FROM ctct_link
WHERE contact_id = any(%(contact_id)s::text[]);

-- name: count_routes
-- How many requests go which way. Grain: one row a route and its answer.
SELECT
    route,
    detail,
    count(*) AS requests,
    count(DISTINCT target) AS targets,
    count(DISTINCT contact_id) AS contacts
FROM routed_membership
GROUP BY route, detail
ORDER BY requests DESC, route ASC, detail ASC;

-- name: dead_lists
-- Which lists are no longer there. Parameters: list_ids (array). Grain: one row a list.
SELECT wanted.list_id
FROM unnest(%(list_ids)s::text[]) AS wanted (list_id)
LEFT JOIN ctct_list AS list ON wanted.list_id = list.list_id
WHERE list.list_id IS NULL OR list.deleted_at IS NOT NULL;

-- name: explain_requests
-- Say why the requests of a call wait on. Parameters: bulk_id, detail. Grain: one row a request.
UPDATE crm_list_membership AS membership
SET detail = %(detail)s
FROM ctct_bulk_activity_row AS carried
WHERE
    carried.bulk_id = %(bulk_id)s
    AND membership.contact_id = carried.contact_id
    AND membership.list_id = carried.list_id
    AND membership.status = 'pending'
    AND membership.action = carried.action
    AND membership.requested_at = carried.requested_at;

-- name: finish_requests
-- Keep the answer to the requests of one call; a rejection is the vendor's refusal. One that was
-- made again meanwhile is not touched. Parameters: bulk_id, list_ids (of the requests that it is
-- the answer to), status, detail. Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = %(status)s,
    processed_at = statement_timestamp(),
    refused_at = CASE WHEN %(status)s = 'rejected' THEN statement_timestamp() END,
    detail = %(detail)s
FROM ctct_bulk_activity_row AS carried
WHERE
    carried.bulk_id = %(bulk_id)s
    AND carried.list_id = any(%(list_ids)s)
    AND membership.contact_id = carried.contact_id
    AND membership.list_id = carried.list_id
    AND membership.status = 'pending'
    AND membership.action = carried.action
    AND membership.requested_at = carried.requested_at;

-- name: split_call
-- Split a call that was refused as a whole: into halves of its contacts, or of its lists if it has
-- one contact; and one contact alone where it is not known whether any is accepted.
-- Parameters: bulk_id, is_probed, error. Grain: one row a new call.
WITH refused AS (
    UPDATE ctct_bulk_activity
    SET state = 'done', error = %(error)s, ended_at = clock_timestamp()
    WHERE bulk_id = %(bulk_id)s
    RETURNING kind
),

numbered AS (
    SELECT
        contact_id,
        target,
        list_id,
        dense_rank() OVER (ORDER BY md5(target || %(bulk_id)s::text), target) AS nth,
        dense_rank() OVER (ORDER BY list_id) AS nth_list
    FROM ctct_bulk_activity_row
    WHERE bulk_id = %(bulk_id)s
),

counted AS (
    SELECT
        max(nth) AS contacts,
        max(nth_list) AS lists
    FROM numbered
),

parted AS MATERIALIZED (
    SELECT
        numbered.contact_id,
        numbered.target,
        numbered.list_id,
        CASE
            WHEN counted.contacts = 1 THEN 1 + (numbered.nth_list * 2 > counted.lists)::int
            WHEN numbered.nth = 1 AND %(is_probed)s THEN 0
            ELSE 1 + (numbered.nth * 2 > counted.contacts)::int
        END AS part
    FROM numbered
    CROSS JOIN counted
),

call AS MATERIALIZED (
    SELECT
        part,
        contacts,
        list_ids,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id
    FROM (
        SELECT
            part,
            count(DISTINCT target) AS contacts,
            array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
        FROM parted
        GROUP BY part
        ORDER BY part
    ) AS grouped
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        call.bulk_id,
        refused.kind,
        call.list_ids,
        call.contacts
    FROM call
    CROSS JOIN refused
),

moved AS (
    UPDATE ctct_bulk_activity_row AS carried
    SET bulk_id = call.bulk_id
    FROM parted
    INNER JOIN call ON parted.part = call.part
    WHERE
        carried.bulk_id = %(bulk_id)s
        AND carried.contact_id = parted.contact_id
        AND carried.list_id = parted.list_id
)

SELECT bulk_id FROM call
ORDER BY bulk_id;

-- name: sample_routes
-- Some of those who go each way, to be looked up. No parameters: of what was just routed.
-- Grain: one row a route and its answer, with five of the contacts.
SELECT
    route,
    detail,
    (array_agg(coalesce(nullif(name, '') || ' (' || contact_id || ')', contact_id)))[:5] AS sample
FROM (
    SELECT
        routed.route,
        routed.detail,
        routed.contact_id,
        concat_ws(' ', crm.first_name, crm.last_name) AS name,
        row_number() OVER (
            PARTITION BY routed.route, routed.detail ORDER BY routed.contact_id
        ) AS nth
    FROM routed_membership AS routed
    INNER JOIN ctct_link AS crm ON routed.contact_id = crm.contact_id
) AS numbered
WHERE nth <= 5
GROUP BY route, detail;

-- name: try_lock
-- One run at a time plans and sends. Grain: one row; holds to the session's end or `unlock`.
SELECT
    pg_try_advisory_lock(
        hashtextextended('constant_contact memberships', ctct_account_key())
    ) AS is_ours;

-- name: membership_request
-- What was asked about a contact and a list. Parameters: contact_id, list_id. Grain: one row.
SELECT
    action,
    requested_at,
    status,
    processed_at,
    detail
FROM crm_list_membership
WHERE contact_id = %(contact_id)s AND list_id = %(list_id)s;

-- name: forget_planned
-- What was planned and not sent is planned again, by the mirror as it is then.
-- Grain: one row a call.
DELETE FROM ctct_bulk_activity
WHERE state = 'planned';

-- name: want_memberships
-- Take the pending requests that are not on their way. Grain: one row a request.
INSERT INTO wanted_membership (contact_id, list_id, action, requested_at)
SELECT
    membership.contact_id,
    membership.list_id,
    membership.action,
    membership.requested_at
FROM crm_list_membership AS membership
WHERE
    membership.status = 'pending'
    AND NOT EXISTS (
        SELECT FROM ctct_bulk_activity_row AS carried
        INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
        WHERE
            carried.contact_id = membership.contact_id
            AND carried.list_id = membership.list_id
            AND activity.state <> 'done'
    );

-- name: unknown_lists
-- How many lists the requests name that the mirror does not know. Grain: one row.
SELECT count(DISTINCT wanted.list_id) AS unknown
FROM wanted_membership AS wanted
WHERE NOT EXISTS (
    SELECT FROM ctct_list AS list
    WHERE list.list_id = wanted.list_id
);

-- name: unseen_contacts
-- Contacts of wanted requests that were not seen in the CRM yet. Grain: one row a CRM contact.
SELECT DISTINCT wanted.contact_id
FROM wanted_membership AS wanted
LEFT JOIN ctct_link AS link ON wanted.contact_id = link.contact_id
WHERE link.contact_id IS NULL;

-- name: drop_overtaken
-- Of two spellings of one contact's id the later request counts: what was asked for by the other
-- one before it gives way, as if it had been written again.
-- Parameters: written, contact_id. Grain: one row a request.
DELETE FROM crm_list_membership AS known
USING crm_list_membership AS later
WHERE
    later.contact_id = %(written)s
    AND later.status = 'pending'
    AND known.contact_id = %(contact_id)s
    AND known.list_id = later.list_id
    AND known.requested_at <= later.requested_at;

-- name: spell_contact
-- Give requests that wait the id that the CRM has. Parameters: written, contact_id.
-- Grain: one row a request.
UPDATE crm_list_membership AS membership
SET contact_id = %(contact_id)s
WHERE
    membership.contact_id = %(written)s
    AND membership.status = 'pending'
    AND NOT EXISTS (
        SELECT FROM crm_list_membership AS known
        WHERE known.contact_id = %(contact_id)s AND known.list_id = membership.list_id
    );

-- name: drop_held
-- What was just held is not wanted any more. Grain: one row a request.
DELETE FROM wanted_membership AS wanted
USING crm_list_membership AS membership
WHERE
    wanted.contact_id = membership.contact_id
    AND wanted.list_id = membership.list_id
    AND membership.status = 'held';

-- name: settle_memberships
-- Keep the answers that need no call; of requests that were not made again meanwhile.
-- Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = routed.route,
    detail = routed.detail,
    processed_at = clock_timestamp()
FROM routed_membership AS routed
WHERE
    routed.route IN ('done', 'rejected', 'failed')
    AND membership.contact_id = routed.contact_id
    AND membership.list_id = routed.list_id
    AND membership.status = 'pending'
    AND membership.action = routed.action
    AND membership.requested_at = routed.requested_at;

-- name: plan_changes
-- Plan the calls that add linked contacts to lists and remove them. Contacts that want the same
-- lists share a call; where so many combinations occur that a call for each list is cheaper, that.
-- Parameters: most_contacts, most_lists (in a call). Grain: one row a request.
WITH change AS (
    SELECT DISTINCT
        route AS kind,
        target,
        list_id
    FROM routed_membership
    WHERE route IN ('add', 'remove')
),

by_combination AS (
    SELECT
        'combination' AS way,
        kind,
        target,
        array_agg(list_id ORDER BY list_id) AS list_ids
    FROM (
        SELECT
            *,
            (row_number() OVER (PARTITION BY kind, target ORDER BY list_id) - 1)
            / %(most_lists)s AS part
        FROM change
    ) AS numbered
    GROUP BY kind, target, part
),

either_way AS (
    SELECT * FROM by_combination
    UNION ALL
    SELECT
        'list' AS way,
        kind,
        target,
        ARRAY[list_id] AS list_ids
    FROM change
),

cheaper AS (
    SELECT DISTINCT ON (kind)
        kind,
        way
    FROM (
        SELECT
            kind,
            way,
            list_ids,
            ceil(count(*) / %(most_contacts)s::numeric) AS calls
        FROM either_way
        GROUP BY kind, way, list_ids
    ) AS counted
    GROUP BY kind, way
    ORDER BY kind ASC, sum(calls) ASC, way ASC
),

member AS MATERIALIZED (
    SELECT
        either_way.kind,
        either_way.target,
        either_way.list_ids,
        (
            row_number() OVER (
                PARTITION BY either_way.kind, either_way.list_ids ORDER BY either_way.target
            ) - 1
        ) / %(most_contacts)s AS part
    FROM either_way
    INNER JOIN cheaper ON either_way.kind = cheaper.kind AND either_way.way = cheaper.way
),

call AS MATERIALIZED (
    SELECT
        kind,
        list_ids,
        part,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id,
        count(*) AS contacts
    FROM member
    GROUP BY kind, list_ids, part
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        bulk_id,
        kind,
        list_ids,
        contacts
    FROM call
)

INSERT INTO ctct_bulk_activity_row (
    bulk_id, contact_id, list_id, action, requested_at, target
)
SELECT
    call.bulk_id,
    routed.contact_id,
    routed.list_id,
    routed.action,
    routed.requested_at,
    routed.target
FROM call
INNER JOIN member
    ON
        call.kind = member.kind
        AND call.list_ids = member.list_ids
        AND call.part = member.part
INNER JOIN routed_membership AS routed
    ON
        member.target = routed.target
        AND member.kind = routed.route
        AND routed.list_id = any(member.list_ids);

-- name: plan_creations
-- Plan the contacts that are created one by one, with all lists wanted for the address.
-- Parameters: most. Grain: one row a request.
WITH call AS MATERIALIZED (
    SELECT
        target,
        list_ids,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id
    FROM (
        SELECT
            target,
            array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
        FROM routed_membership
        WHERE route = 'create'
        GROUP BY target
        ORDER BY min(requested_at) ASC, target ASC
        LIMIT %(most)s
    ) AS next
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        bulk_id,
        'create',
        list_ids,
        1
    FROM call
)

INSERT INTO ctct_bulk_activity_row (
    bulk_id, contact_id, list_id, action, requested_at, target
)
SELECT
    call.bulk_id,
    routed.contact_id,
    routed.list_id,
    routed.action,
    routed.requested_at,
    routed.target
FROM call
INNER JOIN routed_membership AS routed ON call.target = routed.target
WHERE routed.route = 'create';

-- name: plan_imports
-- Plan the imports of new contacts: one row of the import for each address, however many CRM
-- contacts have it; those that want the same lists together, up to so many bytes and contacts. The
-- bytes are counted as JSON that escapes all that is not ASCII, six for a character or more.
-- Parameters: most_bytes, least_bytes (a contact counts as: bounds their number), fixed_bytes (of a
-- contact beside its texts). Grain: one row a request.
WITH address AS (
    SELECT
        target,
        array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids,
        concat(target, min(first_name), min(last_name)) AS texts
    FROM routed_membership
    WHERE route = 'import'
    GROUP BY target
),

weighed AS (
    SELECT
        target,
        list_ids,
        greatest(
            %(least_bytes)s,
            %(fixed_bytes)s
            + 5 * octet_length(to_json(texts)::text)
            - 4 * char_length(to_json(texts)::text)
        ) AS bytes
    FROM address
),

member AS MATERIALIZED (
    SELECT
        target,
        list_ids,
        (
            sum(bytes) OVER (PARTITION BY list_ids ORDER BY target ROWS UNBOUNDED PRECEDING) - bytes
        ) / %(most_bytes)s AS part
    FROM weighed
),

call AS MATERIALIZED (
    SELECT
        list_ids,
        part,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id,
        count(*) AS contacts
    FROM member
    GROUP BY list_ids, part
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        bulk_id,
        'import',
        list_ids,
        contacts
    FROM call
)

INSERT INTO ctct_bulk_activity_row (
    bulk_id, contact_id, list_id, action, requested_at, target
)
SELECT
    call.bulk_id,
    routed.contact_id,
    routed.list_id,
    routed.action,
    routed.requested_at,
    routed.target
FROM call
INNER JOIN member ON call.list_ids = member.list_ids AND call.part = member.part
INNER JOIN routed_membership AS routed ON member.target = routed.target
WHERE routed.route = 'import';

-- name: concerned_contacts
-- Whose Do Not Email counts for a call: the contacts it is about, and others with the same link or
-- address. Parameters: bulk_id. Grain: one row a CRM contact.
SELECT contact_id FROM ctct_bulk_activity_row
WHERE bulk_id = %(bulk_id)s
UNION
SELECT link.contact_id
FROM ctct_bulk_activity_row AS carried
INNER JOIN ctct_link AS link ON carried.target = link.constant_contact_id
WHERE carried.bulk_id = %(bulk_id)s
UNION
SELECT link.contact_id
FROM ctct_bulk_activity_row AS carried
LEFT JOIN ctct_contact AS mirrored ON carried.target = mirrored.contact_id
INNER JOIN ctct_link AS link ON coalesce(mirrored.email_key, carried.target) = link.email_key
WHERE carried.bulk_id = %(bulk_id)s;

-- name: drop_changed_requests
-- Right before a call is sent: take out what it is no longer right for. A request that was
-- withdrawn or made again, an address or link that changed, an objection that the gate has, an
-- address that the vendor has by now. The whole contact goes, since all lists of a call are meant
-- for each. All contacts of the call are looked at once: a server that takes the call for one row
-- would look again for each of them. Parameters: bulk_id. Grain: one row a request.
WITH changed AS MATERIALIZED (
    SELECT carried.target
    FROM ctct_bulk_activity_row AS carried
    INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
    LEFT JOIN crm_list_membership AS membership
        ON
            carried.contact_id = membership.contact_id
            AND carried.list_id = membership.list_id
            AND carried.action = membership.action
            AND carried.requested_at = membership.requested_at
            AND membership.status = 'pending'
    LEFT JOIN ctct_link AS crm ON carried.contact_id = crm.contact_id
    LEFT JOIN ctct_left_contact AS absent
        ON carried.contact_id = absent.contact_id AND carried.action = 'remove'
    -- Asked in one place: to plan it takes longer than to ask it.
    CROSS JOIN
        LATERAL ctct_gate(
            CASE WHEN activity.kind <> 'remove' THEN carried.contact_id END,
            CASE WHEN activity.kind = 'add' THEN carried.target END,
            CASE WHEN activity.kind IN ('import', 'create') THEN carried.target END
        ) AS gate
    WHERE
        carried.bulk_id = %(bulk_id)s
        AND (
            membership.contact_id IS NULL
            OR (
                activity.kind IN ('add', 'remove')
                AND coalesce(crm.constant_contact_id, absent.constant_contact_id, '')
                <> carried.target
            )
            OR (
                activity.kind IN ('import', 'create')
                AND coalesce(crm.email_key, '') <> carried.target
            )
            OR (activity.kind IN ('add', 'import') AND gate.answer <> 'may')
            OR (activity.kind = 'create' AND gate.answer = 'must not exist')
            OR (
                activity.kind = 'import'
                AND (
                    crm.constant_contact_id IS NOT NULL
                    -- An import would rename the living and bring back the deleted.
                    OR EXISTS (
                        SELECT FROM ctct_contact AS living
                        WHERE living.email_key = carried.target AND living.deleted_at IS NULL
                    )
                    OR EXISTS (
                        SELECT FROM ctct_contact AS gone
                        WHERE gone.email_key = carried.target AND gone.deleted_at IS NOT NULL
                    )
                )
            )
        )
)

DELETE FROM ctct_bulk_activity_row
WHERE bulk_id = %(bulk_id)s AND target IN (SELECT target FROM changed);

-- name: begin_sending
-- Keep that a call is about to be sent. Parameters: bulk_id. Grain: one row: how many contacts it
-- has by now; a call that has none is done.
UPDATE ctct_bulk_activity AS activity
SET
    state = CASE WHEN carried.contacts = 0 THEN 'done' ELSE 'sending' END,
    contacts = carried.contacts,
    sent_at = clock_timestamp()
FROM (
    SELECT count(DISTINCT target) AS contacts
    FROM ctct_bulk_activity_row
    WHERE bulk_id = %(bulk_id)s
) AS carried
WHERE activity.bulk_id = %(bulk_id)s
RETURNING activity.bulk_id, activity.kind, activity.list_ids, activity.contacts, activity.sent_at;

-- name: estimate_calls
-- About how many calls the routed requests need, all being for one list.
-- Parameters: most_contacts (in a bulk change), most_bytes (in an import), import_calls (that an
-- import costs), fixed_bytes (of a contact in it, beside its texts). Grain: one row.
SELECT
    ceil(count(DISTINCT target) FILTER (WHERE route = 'add') / %(most_contacts)s::numeric)
    + ceil(count(DISTINCT target) FILTER (WHERE route = 'remove') / %(most_contacts)s::numeric)
    + count(DISTINCT target) FILTER (WHERE route = 'create')
    + %(import_calls)s * ceil(
        coalesce(
            sum(%(fixed_bytes)s + octet_length(concat(target, first_name, last_name)))
            FILTER (WHERE route = 'import'),
            0
        ) / %(most_bytes)s::numeric
    ) AS calls
FROM routed_membership;

-- name: route_memberships
-- Say what becomes of each wanted request, by the CRM and the mirror as they are: which call it
-- needs, or the answer that needs none, in words that a CRM user understands.
-- Parameters: most_lists (a contact may be on), email_chars (of any contact), import_email_chars,
-- name_chars, most_tries. Grain: one row a request.
INSERT INTO routed_membership (
    contact_id, list_id, action, requested_at, target, first_name, last_name, route, detail
)
-- Who may be mailed again in a moment.
WITH waiting AS MATERIALIZED (
    SELECT
        contact_id,
        constant_contact_id
    FROM crm_opt_out_change
    WHERE status = 'pending' AND NOT do_not_email
),

-- What calls have made of the same request before.
tried AS (
    SELECT
        wanted.contact_id,
        wanted.list_id,
        count(*) AS times,
        -- One by one the vendor says what is wrong with each; a large call costs too many.
        bool_or(
            activity.kind = 'import'
            AND (
                activity.vendor_state = 'completed'
                OR activity.contacts = 1
                OR (activity.vendor_state IS NULL AND activity.contacts <= 1000)
            )
        ) AS was_left_over,
        (array_agg(activity.error ORDER BY activity.bulk_id DESC))[1] AS error
    FROM wanted_membership AS wanted
    INNER JOIN ctct_bulk_activity_row AS carried
        ON
            wanted.contact_id = carried.contact_id
            AND wanted.list_id = carried.list_id
            AND wanted.action = carried.action
            AND wanted.requested_at = carried.requested_at
    INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
    WHERE activity.state = 'done'
    GROUP BY wanted.contact_id, wanted.list_id
),

-- What is on its way for the same contact or address, be it for another CRM contact.
in_flight AS MATERIALIZED (
    SELECT DISTINCT
        carried.target,
        CASE WHEN activity.kind IN ('add', 'remove') THEN carried.list_id END AS list_id
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    WHERE activity.state <> 'done'
),

-- Who left the CRM is taken off a list all the same.
subject AS MATERIALIZED (
    SELECT
        wanted.contact_id,
        wanted.list_id,
        wanted.action,
        wanted.requested_at,
        crm.first_name,
        crm.last_name,
        crm.email_key,
        coalesce(crm.constant_contact_id, gone.constant_contact_id) AS linked_id,
        crm.contact_id IS NOT NULL OR gone.constant_contact_id IS NOT NULL AS is_in_crm
    FROM wanted_membership AS wanted
    LEFT JOIN ctct_link AS crm ON wanted.contact_id = crm.contact_id
    LEFT JOIN ctct_left_contact AS gone
        ON
            wanted.contact_id = gone.contact_id
            AND wanted.action = 'remove'
            AND crm.contact_id IS NULL
),

-- Another CRM contact with the same link or address may have asked for the opposite later: the last
-- wish counts, whatever its status. Thousands may have one address: only the last wishes of each
-- link and address are compared.
wished AS MATERIALIZED (
    SELECT
        subject.contact_id,
        subject.list_id,
        subject.action,
        subject.requested_at,
        own.key
    FROM subject
    CROSS JOIN LATERAL (VALUES (subject.linked_id), (subject.email_key)) AS own (key)
    WHERE own.key IS NOT NULL
),

last_wish AS MATERIALIZED (
    SELECT
        asked.key,
        asked.list_id,
        wish.action,
        max(wish.requested_at) AS requested_at
    FROM (
        SELECT DISTINCT
            key,
            list_id
        FROM wished
    ) AS asked
    INNER JOIN (
        SELECT
            contact_id,
            constant_contact_id AS key
        FROM ctct_link
        UNION ALL
        SELECT
            contact_id,
            email_key
        FROM ctct_link
    ) AS other ON asked.key = other.key
    INNER JOIN crm_list_membership AS wish
        ON other.contact_id = wish.contact_id AND asked.list_id = wish.list_id
    GROUP BY asked.key, asked.list_id, wish.action
),

-- In the same moment the removal counts; what is tried again is a few microseconds later than it
-- was asked for.
overruled AS MATERIALIZED (
    SELECT DISTINCT
        wished.contact_id,
        wished.list_id
    FROM wished
    INNER JOIN last_wish
        ON
            wished.key = last_wish.key
            AND wished.list_id = last_wish.list_id
            AND wished.action <> last_wish.action
    WHERE
        last_wish.requested_at > wished.requested_at
        OR (
            wished.action = 'add'
            AND last_wish.requested_at > wished.requested_at - interval '1 millisecond'
        )
),

request AS (
    SELECT
        wanted.contact_id,
        wanted.list_id,
        wanted.action,
        wanted.requested_at,
        list.list_id IS NOT NULL AS list_is_known,
        list.deleted_at IS NOT NULL AS list_is_deleted,
        wanted.is_in_crm,
        left(btrim(wanted.first_name), %(name_chars)s) AS first_name,
        left(btrim(wanted.last_name), %(name_chars)s) AS last_name,
        wanted.email_key AS address,
        wanted.linked_id,
        linked.contact_id IS NOT NULL AS is_mirrored,
        linked.email_key AS linked_address,
        linked.deleted_at IS NOT NULL AS is_deleted,
        coalesce(linked.permission_to_send = 'unsubscribed', FALSE) AS is_unsubscribed,
        linked.list_ids,
        coalesce(tried.times, 0) AS times,
        coalesce(tried.was_left_over, FALSE) AS was_left_over,
        tried.error,
        coalesce(wanted.linked_id, wanted.email_key) AS target,
        (wanted.contact_id, wanted.list_id) IN (
            SELECT
                overruled.contact_id,
                overruled.list_id
            FROM overruled
        ) AS is_overruled,
        -- By an import of ours; the vendor's listing may not show it yet.
        wanted.action = 'remove'
        AND wanted.linked_id IS NULL
        AND EXISTS (
            SELECT FROM ctct_bulk_activity_row AS carried
            INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
            WHERE
                carried.contact_id = wanted.contact_id
                AND activity.kind = 'import'
                AND activity.adds_up
                AND activity.ended_at > clock_timestamp() - interval '1 day'
        ) AS is_created
    FROM subject AS wanted
    LEFT JOIN ctct_list AS list ON wanted.list_id = list.list_id
    LEFT JOIN ctct_contact AS linked ON wanted.linked_id = linked.contact_id
    LEFT JOIN tried ON wanted.contact_id = tried.contact_id AND wanted.list_id = tried.list_id
),

known AS (
    SELECT
        request.*,
        gate.answer AS gate,
        gate.source AS gate_source,
        request.contact_id IN (SELECT waiting.contact_id FROM waiting)
        OR coalesce(
            request.linked_id IN (
                SELECT waiting.constant_contact_id FROM waiting
                WHERE waiting.constant_contact_id IS NOT NULL
            ),
            FALSE
        ) AS is_heard_next,
        gone.email_key IS NOT NULL AS address_is_deleted,
        request.linked_id IS NULL
        AND EXISTS (
            SELECT FROM ctct_contact AS living
            WHERE living.email_key = request.address AND living.deleted_at IS NULL
        ) AS is_to_be_linked,
        bool_or(request.action = 'remove') OVER (
            PARTITION BY coalesce(request.target, request.contact_id)
        ) AS makes_room,
        same_change.target IS NOT NULL OR same_address.target IS NOT NULL AS is_in_flight
    FROM request
    CROSS JOIN
        LATERAL ctct_gate(
            CASE WHEN request.action = 'add' THEN request.contact_id END,
            CASE WHEN request.action = 'add' THEN request.linked_id END,
            CASE WHEN request.action = 'add' THEN request.address END
        ) AS gate
    LEFT JOIN (
        SELECT DISTINCT email_key
        FROM ctct_contact
        WHERE deleted_at IS NOT NULL AND email_key IS NOT NULL
    ) AS gone ON request.address = gone.email_key
    LEFT JOIN (
        SELECT
            target,
            list_id
        FROM in_flight
        WHERE list_id IS NOT NULL
    ) AS same_change
        ON request.target = same_change.target AND request.list_id = same_change.list_id
    LEFT JOIN (
        SELECT target
        FROM in_flight
        WHERE list_id IS NULL
    ) AS same_address ON coalesce(request.linked_address, request.address) = same_address.target
),

judged AS (
    SELECT
        known.*,
        CASE
            WHEN known.is_in_flight THEN 'wait'
            WHEN known.times >= %(most_tries)s THEN 'gave up'
            WHEN NOT known.list_is_known THEN 'list unknown'
            WHEN known.list_is_deleted THEN 'list deleted'
            WHEN NOT known.is_in_crm THEN 'not in crm'
            WHEN known.is_overruled THEN 'overruled'
            WHEN known.is_created AND NOT known.address_is_deleted THEN 'wait'
            WHEN known.linked_id IS NOT NULL AND NOT known.is_mirrored THEN 'wait'
            -- It has appeared since the last linking.
            WHEN known.is_to_be_linked AND known.gate <> 'must not exist' THEN 'wait'
            WHEN known.action = 'remove' AND known.linked_id IS NULL THEN 'not there'
            WHEN known.action = 'remove' AND known.is_deleted THEN 'not there'
            WHEN known.action = 'remove' THEN 'remove'
            WHEN known.gate = 'must not exist' THEN 'erased'
            WHEN known.linked_id IS NULL AND known.address IS NULL THEN 'no email'
            WHEN known.linked_id IS NULL AND known.address !~ '^[^@\s]+@[^@\s]+$' THEN 'malformed'
            WHEN
                known.linked_id IS NULL AND known.gate_source IN ('vendor_contact', 'click')
                THEN 'had unsubscribed'
            WHEN
                known.is_deleted OR (known.linked_id IS NULL AND known.address_is_deleted)
                THEN 'deleted'
            WHEN known.is_unsubscribed THEN 'unsubscribed'
            WHEN known.linked_id IS NOT NULL AND known.is_heard_next THEN 'wait'
            WHEN known.linked_id IS NOT NULL AND known.gate_source = 'flag' THEN 'says no'
            WHEN known.linked_id IS NOT NULL AND known.gate <> 'may' THEN 'objects'
            WHEN known.list_id = any(known.list_ids) THEN 'on it'
            WHEN known.linked_id IS NOT NULL THEN 'add'
            WHEN char_length(known.address) > %(email_chars)s THEN 'too long'
            WHEN known.gate <> 'may' OR known.was_left_over THEN 'create'
            WHEN char_length(known.address) > %(import_email_chars)s THEN 'create'
            ELSE 'import'
        END AS verdict
    FROM known
),

-- Lists that this contact is on, those on their way to it, and the how-many-eth this would be.
counted AS (
    SELECT
        judged.*,
        coalesce(cardinality(judged.list_ids), 0) AS lists,
        coalesce(on_their_way.lists, 0) AS coming,
        dense_rank() OVER (
            PARTITION BY judged.target, judged.verdict IN ('add', 'import', 'create')
            ORDER BY judged.list_id
        ) AS nth
    FROM judged
    LEFT JOIN (
        SELECT
            target,
            count(*) AS lists
        FROM in_flight
        WHERE list_id IS NOT NULL
        GROUP BY target
    ) AS on_their_way ON judged.target = on_their_way.target
),

fitting AS (
    SELECT
        counted.*,
        CASE
            WHEN
                counted.verdict NOT IN ('add', 'import', 'create')
                OR counted.lists + counted.coming + counted.nth <= %(most_lists)s
                THEN counted.verdict
            -- Lists that were deleted meanwhile do not count.
            WHEN
                counted.coming + counted.nth
                + (
                    SELECT count(*) FROM ctct_list AS list
                    WHERE list.deleted_at IS NULL AND list.list_id = any(counted.list_ids)
                ) <= %(most_lists)s
                THEN counted.verdict
            WHEN counted.makes_room OR counted.coming > 0 THEN 'wait'
            ELSE 'full'
        END AS settled
    FROM counted
)

SELECT
    fitting.contact_id,
    fitting.list_id,
    fitting.action,
    fitting.requested_at,
    fitting.target,
    fitting.first_name,
    fitting.last_name,
    coalesce(answer.route, fitting.settled),
    concat(answer.detail, CASE WHEN fitting.settled = 'gave up' THEN fitting.error END)
FROM fitting
LEFT JOIN (
    VALUES
    ('gave up', 'failed', 'Tried several times without success. '),
    ('list unknown', 'rejected', 'Constant Contact has no such list.'),
    ('list deleted', 'rejected', 'The list was deleted at Constant Contact.'),
    ('not in crm', 'rejected', 'The contact is no longer in the CRM.'),
    (
        'overruled', 'rejected',
        'Another CRM contact with the same address asked for the opposite later.'
    ),
    ('not there', 'done', 'Was not on the list: Constant Contact does not have this contact.'),
    (
        'erased', 'rejected',
        'This person asked to be forgotten; nothing is sent to Constant Contact about them.'
    ),
    ('no email', 'rejected', 'Has no email address.'),
    ('malformed', 'rejected', 'The email address is malformed.'),
    (
        'deleted', 'rejected',
        'This contact was deleted at Constant Contact; it can be brought back there.'
    ),
    (
        'had unsubscribed', 'rejected',
        'Had unsubscribed before the contact was deleted at Constant Contact; only the person can '
        'sign up again.'
    ),
    (
        'unsubscribed', 'rejected',
        'Has unsubscribed; Constant Contact does not put unsubscribed contacts on lists.'
    ),
    ('says no', 'rejected', 'Do Not Email is set in the CRM for this address.'),
    (
        'objects', 'rejected',
        'Asked not to be emailed, or unsubscribed; only the person can take that back, at Constant '
        'Contact.'
    ),
    ('on it', 'done', 'Was on the list already.'),
    (
        'full', 'rejected',
        'Would be on more lists than the ' || %(most_lists)s::integer
        || ' that Constant Contact allows for a contact.'
    ),
    (
        'too long', 'rejected',
        'The email address is longer than the ' || %(email_chars)s::integer
        || ' characters that Constant Contact allows.'
    )
) AS answer (settled, route, detail) ON fitting.settled = answer.settled;

-- name: create_few
-- New contacts that are so few that an import costs as many calls are created one by one: that
-- says exactly what became of each, and renames no contact.
-- Parameters: import_calls (of an import, beyond the one for each combination of lists).
-- Grain: one row a request.
UPDATE routed_membership
SET route = 'create'
WHERE
    route = 'import'
    AND (
        SELECT count(*) <= count(DISTINCT new.list_ids) + %(import_calls)s
        FROM (
            SELECT array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
            FROM routed_membership
            WHERE route = 'import'
            GROUP BY target
        ) AS new
    );

-- name: stage_wanted
-- Where requests stand before they are routed; one a connection, empty at commit.
-- Grain: one row a request.
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_membership (
    contact_id text,
    list_id text,
    action text,
    requested_at timestamptz
) ON COMMIT DELETE ROWS;

-- name: stage_routed
-- What routing says; one a connection, empty at commit. `route`: add, remove, import and create are
-- calls; done, rejected and failed are answers; wait is looked at again later. `target`: the
-- vendor's contact of an add or a removal, the address of an import or a creation.
-- Grain: one row a request.
CREATE TEMPORARY TABLE IF NOT EXISTS routed_membership (
    contact_id text,
    list_id text,
    action text,
    requested_at timestamptz,
    target text,
    first_name text,
    last_name text,
    route text,
    detail text
) ON COMMIT DELETE ROWS;

-- name: unlock
-- Let the next run plan and send. Grain: one row.
SELECT
    pg_advisory_unlock(
        hashtextextended('constant_contact memberships', ctct_account_key())
    ) AS was_ours;

-- name: count_mass_removal
-- What the circuit breaker weighs. Grain: one row: contacts that pending removals, and those done
-- within a day, take off a list (what a person released is not weighed again), and how many of them
-- wait.
WITH waiting AS (
    SELECT DISTINCT contact_id
    FROM crm_list_membership
    WHERE status = 'pending' AND action = 'remove' AND released_at IS NULL
),

-- Two parts, for each has its partial index: of removals, too, most were done long ago.
weighed AS (
    SELECT contact_id FROM waiting
    UNION
    SELECT contact_id
    FROM crm_list_membership
    WHERE
        status = 'done'
        AND action = 'remove'
        AND released_at IS NULL
        AND processed_at >= clock_timestamp() - interval '1 day'
)

SELECT
    (SELECT count(*) FROM weighed) AS weighed,
    (SELECT count(*) FROM waiting) AS waiting;

-- name: hold_memberships
-- The circuit breaker: hold what would take too many contacts off lists in a day, for one person to
-- answer; not what is on its way. Parameters: detail. Grain: one row a request.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('memberships', %(detail)s)
    RETURNING hold_id
)

UPDATE crm_list_membership AS membership
SET
    status = 'held',
    processed_at = clock_timestamp(),
    detail = %(detail)s,
    hold_id = hold.hold_id
FROM hold
WHERE
    membership.status = 'pending'
    AND membership.action = 'remove'
    AND membership.released_at IS NULL
    AND NOT EXISTS (
        SELECT FROM ctct_bulk_activity_row AS carried
        INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
        WHERE
            carried.contact_id = membership.contact_id
            AND carried.list_id = membership.list_id
            AND activity.state NOT IN ('planned', 'done')
    );

-- name: count_failed_memberships
-- How many requests have failed. Parameters: since. Grain: one row.
SELECT count(*) AS failed
FROM crm_list_membership
WHERE status = 'failed' AND processed_at >= %(since)s;

-- name: retry_memberships
-- A person wants requests that were not met to be tried again; but none that was overruled
-- later: another CRM contact with the same link or address, about the same list. Many at once are
-- none of before a restore, which may have been met and taken back since: those go one by one.
-- Looks at the oldest, as many as `most`, after the last one that the look before this one saw: of
-- a million, all would be too many to look at while a person waits.
-- Parameters: status, list_id, action, contact_id ('': any), most; after_requested_at (null: from
-- the oldest), after_contact_id, after_list_id.
-- Grain: one row: how many are tried again, how many were looked at, and the last of those.
WITH candidate AS MATERIALIZED (
    SELECT
        contact_id,
        list_id,
        action,
        requested_at
    FROM crm_list_membership
    WHERE
        status IN ('failed', 'rejected')
        AND (%(status)s = '' OR status = %(status)s)
        AND (%(list_id)s = '' OR list_id = %(list_id)s)
        AND (%(action)s = '' OR action = %(action)s)
        AND (%(contact_id)s = '' OR contact_id = %(contact_id)s)
        AND (
            %(contact_id)s <> ''
            OR action = 'remove'
            OR requested_at > all(SELECT settled_at FROM ctct_restore)
        )
        AND (
            %(after_requested_at)s::timestamptz IS NULL
            OR (requested_at, contact_id, list_id)
            > (%(after_requested_at)s::timestamptz, %(after_contact_id)s, %(after_list_id)s)
        )
    ORDER BY requested_at, contact_id, list_id
    LIMIT %(most)s
),

unmet AS MATERIALIZED (
    SELECT
        candidate.contact_id,
        candidate.list_id,
        candidate.action,
        candidate.requested_at,
        crm.constant_contact_id,
        crm.email_key
    FROM candidate
    LEFT JOIN ctct_link AS crm ON candidate.contact_id = crm.contact_id
),

-- From the opposite wishes, which are few, and not from all contacts of the CRM.
opposite AS MATERIALIZED (
    SELECT
        known.list_id,
        known.action,
        known.requested_at,
        crm.constant_contact_id,
        crm.email_key
    FROM crm_list_membership AS known
    INNER JOIN ctct_link AS crm ON known.contact_id = crm.contact_id
    WHERE
        known.requested_at >= (SELECT min(requested_at) FROM unmet)
        AND known.list_id IN (SELECT list_id FROM unmet)
        AND known.action IN (
            SELECT CASE WHEN unmet.action = 'add' THEN 'remove' ELSE 'add' END FROM unmet
        )
),

overruled AS (
    SELECT
        unmet.contact_id,
        unmet.list_id
    FROM unmet
    INNER JOIN opposite
        ON
            unmet.list_id = opposite.list_id
            AND unmet.constant_contact_id = opposite.constant_contact_id
    WHERE unmet.action <> opposite.action AND opposite.requested_at >= unmet.requested_at
    UNION
    SELECT
        unmet.contact_id,
        unmet.list_id
    FROM unmet
    INNER JOIN opposite
        ON unmet.list_id = opposite.list_id AND unmet.email_key = opposite.email_key
    WHERE unmet.action <> opposite.action AND opposite.requested_at >= unmet.requested_at
),

tried AS (
    SELECT
        unmet.contact_id,
        unmet.list_id,
        unmet.requested_at
    FROM unmet
    WHERE
        NOT EXISTS (
            SELECT FROM overruled
            WHERE overruled.contact_id = unmet.contact_id AND overruled.list_id = unmet.list_id
        )
),

retried AS (
    UPDATE crm_list_membership AS membership
    SET status = 'pending'
    FROM tried
    WHERE
        membership.contact_id = tried.contact_id
        AND membership.list_id = tried.list_id
        AND membership.status IN ('failed', 'rejected')
        AND membership.requested_at = tried.requested_at
    RETURNING membership.contact_id
)

SELECT
    count(*) AS looked_at,
    (SELECT count(*) FROM retried) AS retried,
    (array_agg(requested_at ORDER BY requested_at DESC, contact_id DESC, list_id DESC))[1]
        AS after_requested_at,
    (array_agg(contact_id ORDER BY requested_at DESC, contact_id DESC, list_id DESC))[1]
        AS after_contact_id,
    (array_agg(list_id ORDER BY requested_at DESC, contact_id DESC, list_id DESC))[1]
        AS after_list_id
FROM candidate;

-- name: forget_old
-- Forget decided calls that changed memberships, with the addresses they carried: what became of
-- each request is in its own row. Parameters: days. Grain: one row a call.
DELETE FROM ctct_bulk_activity
WHERE state = 'done' AND planned_at < now() - make_interval(days => %(days)s);

-- name: requests
-- The requests that a person asks for, in no order. Parameters: status, list_id, action ('': any).
-- Grain: one row a request.
SELECT
    membership.contact_id,
    membership.list_id,
    membership.action,
    membership.requested_at,
    membership.status,
    membership.processed_at,
    membership.detail,
    membership.hold_id,
    nullif(concat_ws(' ', crm.first_name, crm.last_name), '') AS name,
    coalesce(list.name, membership.list_id) AS list_name
FROM crm_list_membership AS membership
LEFT JOIN ctct_link AS crm ON membership.contact_id = crm.contact_id
LEFT JOIN ctct_list AS list ON membership.list_id = list.list_id
WHERE
    (%(status)s = '' OR membership.status = %(status)s)
    AND (%(list_id)s = '' OR membership.list_id = %(list_id)s)
    AND (%(action)s = '' OR membership.action = %(action)s);

-- name: count_memberships
-- How many requests have each status, counted no further than a page tells.
-- Parameters: statuses (array), most. Grain: one row a status.
SELECT
    asked.status,
    (
        SELECT count(*)
        FROM (
            SELECT FROM crm_list_membership AS membership
            WHERE membership.status = asked.status
            ORDER BY membership.requested_at
            LIMIT %(most)s
        ) AS counted
    ) AS requests
FROM unnest(%(statuses)s::text[]) AS asked (status);

-- name: requests_of_contact
-- What was asked for a contact's memberships, the newest first. Parameters: contact_id, most.
-- Grain: one row a list.
SELECT
    membership.list_id,
    membership.action,
    membership.requested_at,
    membership.status,
    membership.processed_at,
    membership.detail,
    coalesce(list.name, membership.list_id) AS list_name
FROM crm_list_membership AS membership
LEFT JOIN ctct_list AS list ON membership.list_id = list.list_id
WHERE membership.contact_id = %(contact_id)s
ORDER BY membership.requested_at DESC, membership.list_id ASC
LIMIT %(most)s;

-- name: reject_held
-- A person says no to what the circuit breaker holds: it stays held.
-- Parameters: hold_id, decided_by. Grain: one row a request.
UPDATE crm_list_membership
SET
    detail = %(decided_by)s || ' said no to this mass removal. '
    || 'Set the row to pending again if it is meant.'
WHERE status = 'held' AND hold_id = %(hold_id)s;

-- name: release_held
-- A person releases what one stop of the circuit breaker holds. Parameters: hold_id, decided_by.
-- Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = 'pending',
    released_at = clock_timestamp(),
    processed_at = NULL,
    detail = 'Released by ' || %(decided_by)s || '.'
WHERE
    membership.status = 'held'
    AND membership.hold_id = %(hold_id)s::bigint;

-- name: show_held
-- What a person sees before the answer. Parameters: hold_id. Grain: one row a list, the most
-- frequent first, with ten of the contacts; a request does not say who made it.
SELECT
    'the CRM' AS changed_by,
    'off the list “' || coalesce(list.name, membership.list_id) || '”' AS reason,
    count(*) AS contacts,
    min(membership.requested_at) AS first_changed_at,
    max(membership.requested_at) AS last_changed_at,
    (array_agg(membership.contact_id ORDER BY membership.contact_id))[:10] AS sample
FROM crm_list_membership AS membership
LEFT JOIN ctct_list AS list ON membership.list_id = list.list_id
WHERE membership.status = 'held' AND membership.hold_id = %(hold_id)s
GROUP BY list.name, membership.list_id
ORDER BY count(*) DESC, reason ASC;
