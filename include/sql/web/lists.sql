-- The lists to choose from; one that was deleted, too: it may be the one somebody asks about.
-- Parameters: most. Grain: one row a list.
SELECT
    list_id,
    coalesce(name, list_id) AS name,
    deleted_at IS NOT NULL AS is_deleted
FROM ctct_list
ORDER BY deleted_at IS NOT NULL, lower(name), list_id
LIMIT %(most)s;
