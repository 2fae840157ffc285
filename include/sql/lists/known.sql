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
