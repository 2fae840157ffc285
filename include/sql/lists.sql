-- name: count
-- How many lists the mirror has. Grain: one row.
SELECT
    count(*) FILTER (WHERE deleted_at IS NULL) AS active,
    count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted
FROM ctct_list;

-- name: known
-- How many lists were ever mirrored, and how many of them an account has: a mirror whose lists are
-- all marked as deleted still knows its account. And how many of those are not
-- marked: the lists of an account that was authorized by mistake once stay in a mirror, marked.
-- Parameters: list_ids, all of that account.
-- Grain: one row.
SELECT
    count(*) AS mirrored,
    count(*) FILTER (WHERE list_id = any(%(list_ids)s::text[])) AS known,
    count(*) FILTER (WHERE list_id = any(%(list_ids)s::text[]) AND deleted_at IS NULL) AS live
FROM ctct_list;

-- name: upsert_page
-- Mirror one page of lists. Parameters: arrays, one a column of ListRecord; mirrored_at.
-- Grain: one row a list; a list that came twice in the page counts once.
INSERT INTO ctct_list AS mirrored (
    list_id, name, description, favorite, membership_count, created_at, updated_at, deleted_at,
    mirrored_at
)
SELECT DISTINCT ON (list_id)
    list_id,
    name,
    description,
    favorite,
    membership_count,
    created_at,
    updated_at,
    deleted_at,
    %(mirrored_at)s
FROM
    unnest(
        %(list_id)s::text[], %(name)s::text[], %(description)s::text[], %(favorite)s::boolean[],
        %(membership_count)s::integer[], %(created_at)s::timestamptz[],
        %(updated_at)s::timestamptz[], %(deleted_at)s::timestamptz[]
    )
        AS page (
            list_id,
            name,
            description,
            favorite,
            membership_count,
            created_at,
            updated_at,
            deleted_at
        )
ORDER BY list_id
ON CONFLICT (list_id) DO UPDATE SET
    name = excluded.name,
    description = excluded.description,
    favorite = excluded.favorite,
    membership_count = coalesce(excluded.membership_count, mirrored.membership_count),
    created_at = excluded.created_at,
    updated_at = excluded.updated_at,
    deleted_at = excluded.deleted_at,
    mirrored_at = excluded.mirrored_at;

-- name: mark_missing
-- Mark as deleted what a whole listing no longer had. Parameters: mirrored_at (of that listing).
-- Grain: one row a list.
UPDATE ctct_list
SET deleted_at = %(mirrored_at)s
WHERE deleted_at IS NULL AND mirrored_at < %(mirrored_at)s;

-- name: shown_lists
-- Lists as their page lists them, in no order. Parameters: search, state and list_id ('': any);
-- most_counted, of the newest requests of each status. `is_more`: there may be more, so that the
-- counts of requests are the least that they may be.
-- Grain: one row a list that is not deleted. `difference`: members that the vendor counts beyond
-- what the mirror has, or fewer; any number between `mailable` and `members` is right. `state`:
-- agree, differ (a finding), incomplete (another number, and it is no finding: contacts changed
-- lately, or were not read whole since), not compared (a side has no count).
WITH newest AS MATERIALIZED (
    SELECT
        asked.status,
        membership.list_id,
        membership.action
    FROM unnest(ARRAY['pending', 'held', 'rejected', 'failed']) AS asked (status)
    CROSS JOIN
        LATERAL (
            SELECT
                each.list_id,
                each.action
            FROM crm_list_membership AS each
            WHERE
                each.status = asked.status
                AND (%(list_id)s = '' OR each.list_id = %(list_id)s)
            ORDER BY each.requested_at DESC
            LIMIT %(most_counted)s
        ) AS membership
),

request AS (
    SELECT
        list_id,
        count(*) FILTER (WHERE status = 'pending' AND action = 'add') AS adds_waiting,
        count(*) FILTER (WHERE status = 'pending' AND action = 'remove') AS removals_waiting,
        count(*) FILTER (WHERE status = 'held') AS held,
        count(*) FILTER (WHERE status IN ('rejected', 'failed')) AS refused
    FROM newest
    GROUP BY list_id
),

reached AS (
    SELECT coalesce(max(of_status.requests) >= %(most_counted)s, FALSE) AS is_more
    FROM (
        SELECT count(*) AS requests
        FROM newest
        GROUP BY status
    ) AS of_status
)

SELECT
    list.list_id,
    list.membership_count AS vendor_members,
    counted.most AS members,
    counted.fewest AS mailable,
    counted.counted_at,
    list.updated_at,
    list.mirrored_at,
    found.found_at,
    drift.difference,
    standing.state,
    reached.is_more,
    coalesce(list.name, list.list_id) AS name,
    coalesce(request.adds_waiting, 0) AS adds_waiting,
    coalesce(request.removals_waiting, 0) AS removals_waiting,
    coalesce(request.held, 0) AS held,
    coalesce(request.refused, 0) AS refused
FROM ctct_list AS list
LEFT JOIN ctct_list_count AS counted ON list.list_id = counted.list_id
LEFT JOIN ctct_finding AS found ON found.noun = 'list' AND list.list_id = found.subject_id
LEFT JOIN request ON list.list_id = request.list_id
CROSS JOIN reached
CROSS JOIN
    LATERAL (
        SELECT
            list.membership_count
            - least(greatest(list.membership_count, counted.fewest), counted.most) AS difference
    ) AS drift
CROSS JOIN
    LATERAL (
        SELECT
            CASE
                WHEN found.subject_id IS NOT NULL THEN 'differ'
                WHEN list.membership_count IS NULL OR counted.list_id IS NULL THEN 'not compared'
                WHEN drift.difference <> 0 THEN 'incomplete'
                ELSE 'agree'
            END AS state
    ) AS standing
WHERE
    list.deleted_at IS NULL
    AND (%(search)s = '' OR strpos(lower(list.name), lower(%(search)s)) > 0)
    AND (%(list_id)s = '' OR list.list_id = %(list_id)s)
    AND (%(state)s = '' OR standing.state = %(state)s);

-- name: refusals
-- Why requests are refused. Parameters: list_id ('': of any list), most; most_counted, of the
-- newest requests of each status.
-- Grain: one row a status (rejected, failed) and reason, the most frequent first.
SELECT
    asked.status,
    coalesce(membership.detail, 'No reason was kept.') AS reason,
    count(*) AS requests,
    max(membership.processed_at) AS last_at
FROM unnest(ARRAY['rejected', 'failed']) AS asked (status)
CROSS JOIN
    LATERAL (
        SELECT
            each.detail,
            each.processed_at
        FROM crm_list_membership AS each
        WHERE
            each.status = asked.status
            AND (%(list_id)s = '' OR each.list_id = %(list_id)s)
        ORDER BY each.requested_at DESC
        LIMIT %(most_counted)s
    ) AS membership
GROUP BY asked.status, membership.detail
ORDER BY requests DESC, status ASC, reason ASC
LIMIT %(most)s;

-- name: changes_of_list
-- What the requests of the last days made of one list. Parameters: list_id, days.
-- Grain: one row an action and status.
SELECT
    action,
    status,
    count(*) AS requests,
    max(coalesce(processed_at, requested_at)) AS last_at
FROM crm_list_membership
WHERE
    list_id = %(list_id)s
    AND requested_at > clock_timestamp() - make_interval(days => %(days)s)
GROUP BY action, status
ORDER BY action ASC, requests DESC, status ASC;
