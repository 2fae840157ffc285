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
