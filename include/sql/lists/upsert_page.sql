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
