-- How many lists are mirrored, and how many of them an account has. Parameters: list_ids, all of
-- that account. Grain: one row.
SELECT
    count(*) AS mirrored,
    count(*) FILTER (WHERE list_id = any(%(list_ids)s::text[])) AS known
FROM ctct_list
WHERE deleted_at IS NULL;
