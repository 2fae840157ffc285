-- How many lists were ever mirrored, and how many of them an account has: a mirror whose lists are
-- all marked as deleted still knows its account. Parameters: list_ids, all of that account.
-- Grain: one row.
SELECT
    count(*) AS mirrored,
    count(*) FILTER (WHERE list_id = any(%(list_ids)s::text[])) AS known
FROM ctct_list;
