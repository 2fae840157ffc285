-- name: stage_changed
-- What write_back.sql reads; one a connection, empty at commit. Grain: one row a CRM contact.
CREATE TEMPORARY TABLE IF NOT EXISTS changed_link (
    contact_id text,
    constant_contact_id text
) ON COMMIT DELETE ROWS;

-- name: forget_changed
-- What stage_changed made, where a plan wants something else under its name; taken back.
-- Grain: one relation.
DROP TABLE IF EXISTS pg_temp.changed_link;

-- name: stage_one
-- In place of the batch; taken back. Grain: one row, known only when the statement runs.
CREATE TEMPORARY VIEW changed_link AS
SELECT
    (SELECT NULL::text) AS contact_id,
    (SELECT NULL::text) AS constant_contact_id;

-- name: stage_flags
-- What flag_back.sql reads; one a connection, empty at commit. Grain: one row a CRM contact.
CREATE TEMPORARY TABLE IF NOT EXISTS changed_flag (contact_id text) ON COMMIT DELETE ROWS;

-- name: contact
-- One CRM contact as a person asks for it. Parameters: contact_id. Grain: one row.
SELECT
    contact_id,
    first_name,
    last_name,
    email_address AS preferred_email,
    email_key,
    constant_contact_id,
    linked_at,
    coalesce(do_not_email, FALSE) AS do_not_email
FROM ctct_link
WHERE contact_id = %(contact_id)s;

-- name: search_contacts
-- CRM contacts whose name or address contains a text, narrowed by what the mirror knows of them.
-- Parameters: search ('': any), contact_id (array of those to look among; null: all), on_list,
-- not_on_list (list ids; '': any), is_mailable (only those who said no on neither side).
-- Grain: one row a contact.
SELECT crm.contact_id
FROM ctct_link AS crm
LEFT JOIN ctct_contact AS mirrored
    ON crm.constant_contact_id = mirrored.contact_id AND mirrored.deleted_at IS NULL
WHERE
    (
        %(search)s = ''
        OR strpos(
            lower(concat_ws(' ', crm.first_name, crm.last_name, crm.email_address)),
            lower(%(search)s)
        ) > 0
    )
    AND (%(contact_id)s::text[] IS NULL OR crm.contact_id = any(%(contact_id)s::text[]))
    AND (%(on_list)s = '' OR %(on_list)s = any(mirrored.list_ids))
    AND (
        %(not_on_list)s = ''
        OR NOT coalesce(%(not_on_list)s = any(mirrored.list_ids), FALSE)
    )
    AND (
        NOT %(is_mailable)s
        OR (
            NOT coalesce(crm.do_not_email, FALSE)
            AND mirrored.permission_to_send IS DISTINCT FROM 'unsubscribed'
        )
    )
ORDER BY crm.contact_id;

-- name: reason
-- What the changes of this transaction say of themselves. Parameters: reason, by. Grain: one row.
SELECT
    set_config('constant_contact.reason', %(reason)s, TRUE),
    set_config('constant_contact.changed_by', %(by)s, TRUE);

-- name: opted_out_unflagged
-- Linked contacts that unsubscribed at Constant Contact themselves and that the CRM does not flag.
-- Grain: one row a CRM contact.
INSERT INTO changed_flag (contact_id)
SELECT link.contact_id
FROM ctct_link AS link
INNER JOIN ctct_contact AS mirrored ON link.constant_contact_id = mirrored.contact_id
WHERE
    link.do_not_email IS NOT TRUE
    AND link.absence_hold_id IS NULL
    AND mirrored.deleted_at IS NULL
    AND mirrored.permission_to_send = 'unsubscribed'
    AND mirrored.opt_out_source = 'Contact';

-- name: count_linked
-- How many of the vendor's contacts the CRM is linked to: the circuit breaker allows a share of
-- them. Reads every contact of the CRM, and is asked when the share matters. Grain: one row.
SELECT count(DISTINCT constant_contact_id) AS linked
FROM ctct_link;

-- name: drop_held
-- Links that a person is asked about, or said no to clearing, stay as they are.
-- Grain: one row a CRM contact.
DELETE FROM wanted_link AS wanted
USING ctct_link AS link
WHERE
    wanted.new_id IS NULL
    AND wanted.contact_id = link.contact_id
    AND link.link_hold_id IS NOT NULL;

-- name: count_cleared
-- How many links would be cleared. Grain: one row.
SELECT count(*) AS cleared FROM wanted_link
WHERE new_id IS NULL;

-- name: hold_cleared
-- Too many links would be cleared at once: a person is asked. Parameters: detail.
-- Grain: one row a CRM contact.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('links', %(detail)s)
    RETURNING hold_id
)

UPDATE ctct_link AS link
SET link_hold_id = hold.hold_id
FROM hold, wanted_link AS wanted
WHERE wanted.new_id IS NULL AND link.contact_id = wanted.contact_id;

-- name: stage
-- Where links stand before they are changed; one a connection, empty at commit.
-- Grain: one row a CRM contact.
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_link (
    contact_id text,
    old_id text,
    new_id text
) ON COMMIT DELETE ROWS;

-- name: want
-- Which links are to be made, moved or cleared; changes none of them. A living link stays, whatever
-- became of the addresses. A contact that we created at the vendor since it was last linked is
-- linked to that one, whatever its address is now; else to the living one with its address,
-- whatever the vendor may send it. Of several with an address it is the one that changed last. A
-- link to a deleted contact, or to an id that the vendor does not have, is cleared where there is
-- no other.
-- Parameters: mirror_is_whole (an id that the mirror does not have is then one that the vendor has
-- not). Grain: one row a CRM contact whose link is to change.
INSERT INTO wanted_link (contact_id, old_id, new_id)
WITH loose AS MATERIALIZED (
    SELECT
        link.contact_id,
        link.constant_contact_id,
        link.linked_at,
        link.email_key,
        -- Of an id that was not read yet nothing is known.
        link.constant_contact_id IS NOT NULL
        AND linked.contact_id IS NULL
        AND NOT %(mirror_is_whole)s AS may_live
    FROM ctct_link AS link
    LEFT JOIN ctct_contact AS linked ON link.constant_contact_id = linked.contact_id
    WHERE
        link.constant_contact_id IS NULL
        OR linked.contact_id IS NULL
        OR linked.deleted_at IS NOT NULL
),

-- Not by a call that was refused: who has that address later is somebody else.
created AS (
    SELECT
        carried.contact_id,
        carried.target AS email_key,
        activity.sent_at,
        coalesce(activity.ended_at, clock_timestamp()) AS ended_at
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    WHERE
        activity.kind IN ('import', 'create')
        AND activity.state <> 'planned'
        AND activity.error IS NULL
),

address AS (
    SELECT
        loose.contact_id,
        created.email_key,
        TRUE AS is_created,
        -- The vendor's clock and ours may differ by an hour.
        created.sent_at - interval '1 hour' AS since,
        created.ended_at + interval '1 hour' AS until
    FROM loose
    INNER JOIN created
        ON
            loose.contact_id = created.contact_id
            AND coalesce(loose.linked_at < created.sent_at, TRUE)
    UNION ALL
    SELECT
        contact_id,
        email_key,
        FALSE,
        '-infinity',
        'infinity'
    FROM loose
    WHERE email_key ~ '^[^@[:space:]]+@[^@[:space:]]+$'
),

found AS (
    SELECT DISTINCT ON (address.contact_id)
        address.contact_id,
        living.contact_id AS new_id
    FROM address
    INNER JOIN ctct_contact AS living
        ON
            address.email_key = living.email_key
            AND living.deleted_at IS NULL
            AND coalesce(living.created_at BETWEEN address.since AND address.until, TRUE)
    ORDER BY
        address.contact_id ASC,
        address.is_created DESC,
        living.updated_at DESC NULLS LAST,
        living.contact_id ASC
)

SELECT
    loose.contact_id,
    loose.constant_contact_id AS old_id,
    found.new_id
FROM loose
LEFT JOIN found ON loose.contact_id = found.contact_id
WHERE
    loose.constant_contact_id IS DISTINCT FROM found.new_id
    AND (found.new_id IS NOT NULL OR NOT loose.may_live);

-- name: link
-- Link CRM contacts to the vendor's as `links/want` found, all at once; a link that changed since
-- then is left. One that is made again is projected again: what came meanwhile is not there.
-- Grain: one row, what was changed.
WITH changed AS (
    UPDATE ctct_link AS link
    SET
        constant_contact_id = wanted.new_id,
        projected_id = nullif(link.projected_id, wanted.new_id),
        linked_at = clock_timestamp(),
        link_hold_id = NULL
    FROM wanted_link AS wanted
    WHERE
        link.contact_id = wanted.contact_id
        AND link.constant_contact_id IS NOT DISTINCT FROM wanted.old_id
    RETURNING wanted.old_id, wanted.new_id
)

SELECT
    count(*) FILTER (WHERE old_id IS NULL) AS linked,
    count(*) FILTER (WHERE old_id IS NOT NULL AND new_id IS NOT NULL) AS relinked,
    count(*) FILTER (WHERE new_id IS NULL) AS unlinked
FROM changed;

-- name: count_links
-- How the CRM's contacts stand. Grain: one row.
-- `shared_addresses` counts addresses, `sharing` the contacts that have one of those.
WITH address AS (
    SELECT
        email_key,
        email_key ~ '^[^@\s]+@[^@\s]+$' AS is_address,
        count(*) AS contacts,
        count(constant_contact_id) AS linked
    FROM ctct_link
    GROUP BY email_key
),

counted AS (
    SELECT
        sum(contacts) AS contacts,
        sum(linked) AS with_link,
        sum(contacts) FILTER (WHERE email_key IS NULL) AS without_email,
        sum(contacts) FILTER (WHERE NOT is_address) AS malformed_email,
        sum(contacts - linked) FILTER (WHERE is_address) AS unmatched,
        count(*) FILTER (WHERE is_address AND contacts > 1) AS shared_addresses,
        sum(contacts) FILTER (WHERE is_address AND contacts > 1) AS sharing
    FROM address
)

SELECT
    shared_addresses,
    coalesce(contacts, 0)::bigint AS contacts,
    coalesce(with_link, 0)::bigint AS with_link,
    coalesce(without_email, 0)::bigint AS without_email,
    coalesce(malformed_email, 0)::bigint AS malformed_email,
    coalesce(unmatched, 0)::bigint AS unmatched,
    coalesce(sharing, 0)::bigint AS sharing
FROM counted;

-- name: count_differences
-- How often the two sides disagree about whether a linked contact may be mailed.
-- Grain: one row: by the side that alone says no, and ten contacts that only the vendor keeps
-- from being mailed (the others are in the outbox).
WITH difference AS MATERIALIZED (
    SELECT
        contact_id,
        do_not_email
    FROM crm_consent_difference
)

SELECT
    count(*) FILTER (WHERE do_not_email) AS only_crm_says_no,
    count(*) FILTER (WHERE NOT do_not_email) AS only_vendor_says_no,
    array(
        SELECT shown.contact_id
        FROM difference AS shown
        WHERE NOT shown.do_not_email
        ORDER BY shown.contact_id ASC
        LIMIT 10
    ) AS sample
FROM difference;

-- name: link_created
-- Link the CRM contacts of a call to the contact that it created, whatever became of their
-- addresses.
-- Parameters: bulk_id, constant_contact_id. Grain: one row a CRM contact.
UPDATE ctct_link AS link
SET
    constant_contact_id = %(constant_contact_id)s,
    projected_id = nullif(link.projected_id, %(constant_contact_id)s),
    linked_at = clock_timestamp()
FROM ctct_bulk_activity_row AS carried
WHERE
    carried.bulk_id = %(bulk_id)s
    AND link.contact_id = carried.contact_id
    AND NOT EXISTS (
        SELECT FROM ctct_contact AS living
        WHERE living.contact_id = link.constant_contact_id AND living.deleted_at IS NULL
    );

-- name: unwritten
-- The next links that the CRM's own column does not have, in the order of ids.
-- Parameters: after (a contact id; '': from the first), most. Grain: one row a CRM contact.
SELECT
    contact_id,
    constant_contact_id
FROM ctct_link
WHERE
    contact_id > %(after)s
    AND constant_contact_id IS DISTINCT FROM written_id
    AND absence_hold_id IS NULL
ORDER BY contact_id
LIMIT %(most)s;

-- name: written
-- Remember what the CRM's own column has now. Grain: one row a CRM contact.
UPDATE ctct_link AS link
SET written_id = changed.constant_contact_id
FROM changed_link AS changed
WHERE link.contact_id = changed.contact_id;

-- name: contacts_called
-- CRM contacts by what a person types: their id, their address whatever its case, or how their
-- names begin. Parameters: wanted (all of it); the patterns of both names, whichever is which, as
-- arrays: one, other; what every pair of these has: one name like begin, and this name like whole
-- or two, or the other one like second or last; most. Grain: one row a contact; whose id it is,
-- first.
-- Each index is read by itself, and no further than is shown: which ones of more are shown is left
-- open. In an order, all contacts whose names begin so are read, or all there are. A first name
-- that many have is read with what is known of the last one, or all of them would be.
WITH by_first_name AS MATERIALIZED (
    SELECT
        contact_id,
        first_name,
        last_name
    FROM ctct_link
    WHERE
        left(lower(first_name), 100) LIKE lower(%(begin)s)
        AND (
            left(lower(first_name), 100) LIKE lower(%(whole)s)
            OR left(lower(first_name), 100) LIKE lower(%(two)s)
            OR left(lower(last_name), 100) LIKE lower(%(second)s)
            OR left(lower(last_name), 100) LIKE lower(%(last)s)
        )
),

by_last_name AS MATERIALIZED (
    SELECT
        contact_id,
        first_name,
        last_name
    FROM ctct_link
    WHERE
        left(lower(last_name), 100) LIKE lower(%(begin)s)
        AND (
            left(lower(last_name), 100) LIKE lower(%(whole)s)
            OR left(lower(last_name), 100) LIKE lower(%(two)s)
            OR left(lower(first_name), 100) LIKE lower(%(second)s)
            OR left(lower(first_name), 100) LIKE lower(%(last)s)
        )
)

SELECT
    found.contact_id,
    found.first_name,
    found.last_name
FROM (
    (
        SELECT
            contact_id,
            first_name,
            last_name
        FROM ctct_link
        WHERE contact_id = %(wanted)s OR email_key = ctct_email_key(%(wanted)s)
        ORDER BY contact_id
        LIMIT %(most)s
    )
    UNION
    (
        SELECT
            named.contact_id,
            named.first_name,
            named.last_name
        FROM by_first_name AS named
        WHERE
            EXISTS (
                SELECT FROM unnest(%(one)s::text[], %(other)s::text[]) AS split (one, other)
                WHERE
                    lower(named.first_name) LIKE lower(split.one)
                    AND lower(coalesce(named.last_name, '')) LIKE lower(split.other)
            )
        FETCH FIRST %(most)s ROWS ONLY
    )
    UNION
    (
        SELECT
            named.contact_id,
            named.first_name,
            named.last_name
        FROM by_last_name AS named
        WHERE
            EXISTS (
                SELECT FROM unnest(%(one)s::text[], %(other)s::text[]) AS split (one, other)
                WHERE
                    lower(named.last_name) LIKE lower(split.one)
                    AND lower(coalesce(named.first_name, '')) LIKE lower(split.other)
            )
        FETCH FIRST %(most)s ROWS ONLY
    )
) AS found
ORDER BY found.contact_id <> %(wanted)s, found.last_name, found.first_name, found.contact_id
LIMIT %(most)s;

-- name: consent_difference
-- Whether the two sides disagree about mailing a contact. Parameters: contact_id.
-- Grain: one row where they do, none else.
SELECT
    do_not_email,
    permission_to_send,
    opt_out_source
FROM crm_consent_difference
WHERE contact_id = %(contact_id)s;

-- name: reject_held
-- A person says that these links are to stay. Parameters: hold_id. Grain: one row a CRM contact.
SELECT contact_id FROM ctct_link
WHERE link_hold_id = %(hold_id)s;

-- name: release_held
-- A person agrees that these links are cleared; but not those whose contact is there again.
-- Parameters: hold_id. Grain: one row a CRM contact.
UPDATE ctct_link AS link
SET constant_contact_id = NULL, link_hold_id = NULL, linked_at = clock_timestamp()
WHERE
    link.link_hold_id = %(hold_id)s::bigint
    AND NOT EXISTS (
        SELECT FROM ctct_contact AS living
        WHERE living.contact_id = link.constant_contact_id AND living.deleted_at IS NULL
    );

-- name: show_held
-- What a person sees before the answer. Parameters: hold_id. Grain: one row, with ten contacts.
SELECT
    'Constant Contact' AS changed_by,
    'linked to contacts that Constant Contact no longer has' AS reason,
    count(*) AS contacts,
    min(linked_at) AS first_changed_at,
    max(linked_at) AS last_changed_at,
    (array_agg(contact_id ORDER BY contact_id))[:10] AS sample
FROM ctct_link
WHERE link_hold_id = %(hold_id)s
HAVING count(*) > 0;
