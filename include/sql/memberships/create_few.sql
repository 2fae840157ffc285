-- New contacts that are so few that an import costs as many calls are created one by one: that
-- says exactly what became of each, and can rename nobody.
-- Parameters: import_calls (of an import, beyond the one for each combination of lists).
-- Grain: one row a request.
UPDATE routed_membership
SET route = 'create'
WHERE
    route = 'import'
    AND (
        SELECT count(*) <= count(DISTINCT new.list_ids) + %(import_calls)s
        FROM (
            SELECT array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
            FROM routed_membership
            WHERE route = 'import'
            GROUP BY target
        ) AS new
    );
