-- name: erased_person
-- The person that an erasure is about: by a CRM contact (also one who has left the CRM), or by the
-- vendor's. Whatever our tables say that the CRM contact had before is the person's too, but what
-- another contact of the CRM has now: its address may have been given to somebody else.
-- Parameters: contact_id, constant_contact_id (one of them null).
-- Grain: one row: the ids of the vendor's contacts, those linked now or before, and those with one
-- of the addresses; whether any table has the person; the CRM contacts that are or were linked to
-- them or have the address, the one asked for or, by the vendor's, all of these; those of them that
-- are in the CRM besides the one asked for; those that have now what the person had, which stays;
-- and the addresses' digests.
WITH person AS (
    SELECT
        coalesce(
            %(constant_contact_id)s::text,
            (
                SELECT crm.constant_contact_id FROM ctct_link AS crm
                WHERE crm.contact_id = %(contact_id)s
            ),
            (
                SELECT coalesce(gone.constant_contact_id, nullif(gone.projected_id, ''))
                FROM ctct_left_contact AS gone
                WHERE gone.contact_id = %(contact_id)s
            )
        ) AS constant_contact_id
),

address AS (
    SELECT mirrored.email_key FROM ctct_contact AS mirrored
    INNER JOIN person ON mirrored.contact_id = person.constant_contact_id
    WHERE mirrored.email_key IS NOT NULL
    UNION
    SELECT crm.email_key FROM ctct_link AS crm
    WHERE crm.contact_id = %(contact_id)s AND crm.email_key IS NOT NULL
    UNION
    SELECT crm.email_key FROM ctct_link AS crm
    INNER JOIN person ON crm.constant_contact_id = person.constant_contact_id
    WHERE crm.email_key IS NOT NULL
),

linked AS (
    SELECT constant_contact_id FROM person
    WHERE constant_contact_id IS NOT NULL
    UNION
    SELECT mirrored.contact_id FROM ctct_contact AS mirrored
    INNER JOIN address ON mirrored.email_key = address.email_key
),

contact AS (
    SELECT %(contact_id)s::text AS contact_id
    WHERE %(contact_id)s IS NOT NULL
    UNION
    SELECT crm.contact_id FROM ctct_link AS crm
    INNER JOIN linked ON crm.constant_contact_id = linked.constant_contact_id
    UNION
    SELECT crm.contact_id FROM ctct_link AS crm
    INNER JOIN address ON crm.email_key = address.email_key
    UNION
    SELECT gone.contact_id FROM ctct_left_contact AS gone
    INNER JOIN linked
        ON linked.constant_contact_id IN (gone.constant_contact_id, gone.projected_id)
),

asked AS (
    SELECT contact_id FROM contact
    WHERE coalesce(contact_id = %(contact_id)s, TRUE)
),

-- Of a change or an objection there may be neither.
had AS MATERIALIZED (
    SELECT
        former.constant_contact_id,
        former.email_digest
    FROM ctct_former_key AS former
    INNER JOIN asked ON former.contact_id = asked.contact_id
    UNION
    SELECT
        change.constant_contact_id,
        change.email_digest
    FROM crm_opt_out_change AS change
    INNER JOIN asked ON change.contact_id = asked.contact_id
    UNION
    SELECT
        objection.constant_contact_id,
        objection.email_digest
    FROM ctct_objection AS objection
    INNER JOIN asked ON objection.contact_id = asked.contact_id
),

had_contact AS (
    SELECT DISTINCT
        had.constant_contact_id,
        coalesce(ctct_email_digest(mirrored.email_key), mirrored.purged_digest) AS email_digest
    FROM had
    LEFT JOIN ctct_contact AS mirrored ON had.constant_contact_id = mirrored.contact_id
    WHERE had.constant_contact_id IS NOT NULL
),

had_digest AS MATERIALIZED (
    SELECT email_digest FROM had
    WHERE email_digest IS NOT NULL
    UNION
    SELECT email_digest FROM had_contact
    WHERE email_digest IS NOT NULL
),

had_vendor AS MATERIALIZED (
    SELECT
        constant_contact_id,
        email_digest
    FROM had_contact
    UNION
    SELECT
        mirrored.contact_id,
        had_digest.email_digest
    FROM had_digest
    INNER JOIN ctct_contact AS mirrored
        ON had_digest.email_digest = ctct_email_digest(mirrored.email_key)
),

-- The CRM's other contacts that have it now, by address or by link.
taken AS MATERIALIZED (
    SELECT
        crm.contact_id,
        NULL AS constant_contact_id,
        had_digest.email_digest
    FROM had_digest
    INNER JOIN ctct_link AS crm ON had_digest.email_digest = ctct_email_digest(crm.email_key)
    WHERE crm.contact_id NOT IN (SELECT contact.contact_id FROM contact)
    UNION ALL
    SELECT
        crm.contact_id,
        had_vendor.constant_contact_id,
        had_vendor.email_digest
    FROM had_vendor
    INNER JOIN ctct_link AS crm ON had_vendor.constant_contact_id = crm.constant_contact_id
    WHERE crm.contact_id NOT IN (SELECT contact.contact_id FROM contact)
),

vendors AS (
    SELECT constant_contact_id FROM linked
    UNION
    SELECT former.constant_contact_id FROM had_vendor AS former
    WHERE
        NOT EXISTS (
            SELECT FROM taken
            WHERE
                taken.constant_contact_id = former.constant_contact_id
                OR taken.email_digest = former.email_digest
        )
)

SELECT
    -- In one order, for all that lock them.
    array(
        SELECT vendors.constant_contact_id FROM vendors
        ORDER BY vendors.constant_contact_id
    ) AS constant_contact_ids,
    EXISTS (SELECT FROM had)
    OR EXISTS (
        SELECT FROM ctct_contact AS mirrored
        INNER JOIN vendors ON mirrored.contact_id = vendors.constant_contact_id
    )
    OR EXISTS (
        SELECT FROM ctct_link AS crm
        INNER JOIN contact ON crm.contact_id = contact.contact_id
    )
    OR EXISTS (
        SELECT FROM ctct_left_contact AS gone
        INNER JOIN contact ON gone.contact_id = contact.contact_id
    )
    OR EXISTS (
        SELECT FROM crm_list_membership AS membership
        WHERE membership.contact_id = %(contact_id)s
    )
    OR EXISTS (
        SELECT FROM crm_interaction AS interaction
        WHERE interaction.contact_id = %(contact_id)s
    )
    OR EXISTS (
        SELECT FROM ctct_bulk_activity_row AS carried
        WHERE carried.contact_id = %(contact_id)s OR carried.target = %(constant_contact_id)s
    )
    OR EXISTS (
        SELECT FROM ctct_choice_contact AS chosen
        WHERE chosen.contact_id = %(contact_id)s
    )
    OR EXISTS (
        SELECT FROM crm_opt_out_change AS change
        WHERE change.constant_contact_id = %(constant_contact_id)s
    )
    OR EXISTS (
        SELECT FROM ctct_objection AS objection
        WHERE objection.constant_contact_id = %(constant_contact_id)s
    )
    OR EXISTS (
        SELECT FROM ctct_engagement AS event
        WHERE event.contact_id = %(constant_contact_id)s
    ) AS is_known,
    array(SELECT contact.contact_id FROM contact) AS contact_ids,
    array(SELECT asked.contact_id FROM asked) AS asked_ids,
    array(
        SELECT crm.contact_id FROM ctct_link AS crm
        INNER JOIN contact ON crm.contact_id = contact.contact_id
        WHERE crm.contact_id <> %(contact_id)s
        ORDER BY crm.contact_id
    ) AS others,
    array(
        SELECT DISTINCT taken.contact_id FROM taken
        ORDER BY taken.contact_id
    ) AS taken_by,
    array(
        SELECT ctct_email_digest(address.email_key) FROM address
        UNION
        SELECT link.erased_digest FROM ctct_link AS link
        WHERE link.contact_id = %(contact_id)s AND link.erased_digest IS NOT NULL
        UNION
        SELECT had_digest.email_digest FROM had_digest
        WHERE
            NOT EXISTS (
                SELECT FROM taken
                WHERE taken.email_digest = had_digest.email_digest
            )
    ) AS email_digests;

-- name: is_on_the_way
-- Whether a call that carries an erased person was sent and is not decided.
-- Parameters: constant_contact_ids, contact_ids. Grain: one row.
SELECT
    exists(
        SELECT FROM ctct_bulk_activity AS activity
        INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
        WHERE
            activity.state IN ('sending', 'queued', 'ended')
            AND (
                carried.contact_id = any(%(contact_ids)s::text[])
                OR carried.target = any(%(constant_contact_ids)s::text[])
            )
    ) AS is_on_the_way;

-- name: in_log
-- The erased whose ids the log of calls may have: a task that did not come to its end is repeated
-- without knowing them. Grain: one row a contact.
SELECT constant_contact_id FROM ctct_erased
WHERE is_in_log
ORDER BY constant_contact_id;

-- name: erase_calls
-- Take an erased person's id from the log of API calls, and from what was said of bulk calls.
-- Parameters: constant_contact_id. Grain: one row a call.
WITH forgotten AS (
    UPDATE ctct_erased
    SET is_in_log = FALSE
    WHERE constant_contact_id = %(constant_contact_id)s
),

bulk_calls AS (
    UPDATE ctct_bulk_activity
    SET error = replace(error, %(constant_contact_id)s, 'erased')
    WHERE position(%(constant_contact_id)s IN error) > 0
)

UPDATE ctct_api_call
SET
    path = replace(path, %(constant_contact_id)s, 'erased'),
    error_message = replace(error_message, %(constant_contact_id)s, 'erased'),
    reply_body = replace(reply_body, %(constant_contact_id)s, 'erased')
WHERE
    position(%(constant_contact_id)s IN path) > 0
    OR position(%(constant_contact_id)s IN error_message) > 0
    OR position(%(constant_contact_id)s IN reply_body) > 0;

-- name: erase_reasons
-- Of an erased person's changes of Do Not Email stays that they were made: proof that nothing was
-- mailed against their will. What was written about the person goes, and no opt-in that waits is
-- carried any more. Parameters: contact_ids, constant_contact_ids, erased_by.
-- Grain: one row an opt-in that waited.
WITH change AS (
    SELECT
        change_id,
        NOT do_not_email AND status IN ('pending', 'held') AS is_waiting_opt_in
    FROM crm_opt_out_change
    WHERE
        contact_id = any(%(contact_ids)s::text[])
        OR constant_contact_id = any(%(constant_contact_ids)s::text[])
    FOR UPDATE
),

erased AS (
    UPDATE crm_opt_out_change AS erased
    SET
        reason = NULL,
        status = CASE WHEN change.is_waiting_opt_in THEN 'superseded' ELSE erased.status END
    FROM change
    WHERE erased.change_id = change.change_id
    RETURNING erased.change_id, erased.constant_contact_id, change.is_waiting_opt_in
)

INSERT INTO ctct_consent (change_id, decision, detail, decided_by, constant_contact_id)
SELECT
    change_id,
    'superseded',
    'The person was erased.',
    %(erased_by)s,
    constant_contact_id
FROM erased
WHERE is_waiting_opt_in;

-- name: erase_choices
-- Forget choices that an erased person is in, or was looked for by address; a person who is
-- still at one chooses again. Parameters: contact_ids, email_digests. Grain: one row a choice.
WITH erased AS (
    SELECT choice.choice_id FROM ctct_choice AS choice
    WHERE
        choice.criteria -> 'contact_ids' ?| %(contact_ids)s::text[]
        OR ctct_email_digest(ctct_email_key(choice.criteria ->> 'search'))
        = any(%(email_digests)s::text[])
        OR EXISTS (
            SELECT FROM ctct_choice_contact AS chosen
            WHERE
                chosen.choice_id = choice.choice_id
                AND chosen.contact_id = any(%(contact_ids)s::text[])
        )
),

contacts AS (
    DELETE FROM ctct_choice_contact
    WHERE choice_id IN (SELECT choice_id FROM erased)
)

DELETE FROM ctct_choice
WHERE choice_id IN (SELECT choice_id FROM erased);

-- name: erase_objections
-- Of an erased person's objections stay the digest and the vendor's id; what was written about the
-- person goes. Parameters: contact_ids, constant_contact_ids. Grain: one row an objection.
UPDATE ctct_objection
SET contact_id = NULL, reason = NULL, told_by = NULL, evidence = NULL
WHERE
    contact_id = any(%(contact_ids)s::text[])
    OR constant_contact_id = any(%(constant_contact_ids)s::text[]);

-- name: add_objections
-- What is never created or mailed again: the addresses, as digests, and the vendor's contacts.
-- Parameters: email_digests, constant_contact_ids. Grain: one row an address or contact.
INSERT INTO ctct_objection (source, constant_contact_id, email_digest, objected_at)
SELECT
    'erasure',
    erased.constant_contact_id,
    erased.email_digest,
    clock_timestamp()
FROM (
    SELECT
        NULL AS constant_contact_id,
        unnest(%(email_digests)s::text[]) AS email_digest
    UNION ALL
    SELECT
        unnest(%(constant_contact_ids)s::text[]),
        NULL
) AS erased
WHERE
    NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.source = 'erasure'
            AND (
                heard.email_digest = erased.email_digest
                OR heard.constant_contact_id = erased.constant_contact_id
            )
    );

-- name: erase_memberships
-- Forget an erased person's requests for lists. Parameters: contact_ids.
-- Grain: one row a request.
DELETE FROM crm_list_membership
WHERE contact_id = any(%(contact_ids)s::text[]);

-- name: erase_bulk_rows
-- Forget in which calls an erased person was carried.
-- Parameters: constant_contact_ids, contact_ids. Grain: one row a request.
DELETE FROM ctct_bulk_activity_row
WHERE contact_id = any(%(contact_ids)s::text[]) OR target = any(%(constant_contact_ids)s::text[]);

-- name: lock_mirror
-- Let no page of contacts be written meanwhile that was read before. Grain: no row.
LOCK TABLE ctct_contact IN SHARE ROW EXCLUSIVE MODE;

-- name: add_erased
-- Whom the mirror does not learn again, and whose ids are taken from the log of calls next.
-- Parameters: constant_contact_ids, erased_by. Grain: one row a contact.
INSERT INTO ctct_erased (constant_contact_id, erased_by)
SELECT
    unnest(%(constant_contact_ids)s::text[]),
    %(erased_by)s
ON CONFLICT (constant_contact_id) DO UPDATE SET is_in_log = TRUE;

-- name: erase_interactions
-- Take an erased person's interactions from the CRM. Parameters: asked_ids, contact_ids,
-- constant_contact_ids. Grain: one row an interaction.
DELETE FROM crm_interaction
WHERE
    contact_id = any(%(contact_ids)s::text[])
    AND (
        contact_id = any(%(asked_ids)s::text[])
        OR constant_contact_id = any(%(constant_contact_ids)s::text[])
    );

-- name: forget_links
-- Forget which contacts interactions were made of. Parameters: asked_ids, constant_contact_ids.
-- Grain: one row a CRM contact that left.
WITH linked AS (
    UPDATE ctct_link
    SET projected_id = NULL
    WHERE
        projected_id = any(%(constant_contact_ids)s::text[])
        OR contact_id = any(%(asked_ids)s::text[])
)

DELETE FROM ctct_left_contact
WHERE
    constant_contact_id = any(%(constant_contact_ids)s::text[])
    OR projected_id = any(%(constant_contact_ids)s::text[])
    OR contact_id = any(%(asked_ids)s::text[]);

-- name: erase_links
-- Clear the links to an erased person, and what was seen of the person in the CRM: the mirror has
-- no address to make them again. Parameters: constant_contact_ids, contact_ids.
-- Grain: one row a CRM contact.
UPDATE ctct_link
SET
    constant_contact_id = NULL,
    email_address = NULL,
    first_name = NULL,
    last_name = NULL,
    opt_out_reason = NULL,
    erased_digest = ctct_email_digest(email_key)
WHERE
    constant_contact_id = any(%(constant_contact_ids)s::text[])
    OR contact_id = any(%(contact_ids)s::text[]);

-- name: erase_former_keys
-- Forget what an erased person's contact of the CRM had before. Parameters: asked_ids.
-- Grain: one row a link and address.
DELETE FROM ctct_former_key
WHERE contact_id = any(%(asked_ids)s::text[]);

-- name: erase_contact
-- Leave of an erased contact in the mirror that there is one. Parameters: constant_contact_ids.
-- Grain: one row.
WITH aside AS (
    DELETE FROM ctct_set_aside
    WHERE noun = 'contact' AND row_id = any(%(constant_contact_ids)s::text[])
)

UPDATE ctct_contact
SET email_address = NULL, opt_out_reason = NULL, list_ids = '{}'
WHERE contact_id = any(%(constant_contact_ids)s::text[]);

-- name: erase_events
-- Cut an erased person's events off: the counts of the reports stay right. Each of the vendor's
-- contacts gets a random id of its own, as their events may be alike.
-- Parameters: constant_contact_ids. Grain: one row an event.
WITH erased AS MATERIALIZED (
    SELECT
        contact_id,
        gen_random_uuid()::text AS random_id
    FROM unnest(%(constant_contact_ids)s::text[]) AS contact (contact_id)
)

UPDATE ctct_engagement AS event
SET contact_id = erased.random_id, link_url = NULL, opt_out_reason = NULL
FROM erased
WHERE event.contact_id = erased.contact_id;
