-- The calls to be sent, those that take someone off a list first.
-- Parameters: kinds (array). Grain: one row a call.
SELECT
    bulk_id,
    kind,
    list_ids
FROM ctct_bulk_activity
WHERE state = 'planned' AND kind = any(%(kinds)s)
ORDER BY kind <> 'remove', bulk_id;
