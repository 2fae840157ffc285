-- Lists that someone can be put on, of at most 1,000 that an account may have.
-- Grain: one row a list, by name.
SELECT
    list_id,
    membership_count,
    coalesce(name, list_id) AS name
FROM ctct_list
WHERE deleted_at IS NULL
ORDER BY lower(name) ASC, list_id ASC
LIMIT 1000;
