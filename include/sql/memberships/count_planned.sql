-- The calls that this transaction has planned, by kind. Creations are counted by whom they create:
-- only some are planned at a time. Grain: one row: calls of each kind.
SELECT
    count(*) FILTER (WHERE kind IN ('add', 'remove')) AS changes,
    count(*) FILTER (WHERE kind = 'import') AS imports,
    (
        SELECT count(DISTINCT target) FROM routed_membership
        WHERE route = 'create'
    ) AS creations
FROM ctct_bulk_activity
WHERE state = 'planned' AND planned_at = now();
