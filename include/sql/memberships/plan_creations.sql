-- Plan the contacts that are created one by one, with all lists wanted for the address.
-- Parameters: most. Grain: one row a request.
WITH call AS MATERIALIZED (
    SELECT
        target,
        list_ids,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id
    FROM (
        SELECT
            target,
            array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
        FROM routed_membership
        WHERE route = 'create'
        GROUP BY target
        ORDER BY min(requested_at) ASC, target ASC
        LIMIT %(most)s
    ) AS next
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        bulk_id,
        'create',
        list_ids,
        1
    FROM call
)

INSERT INTO ctct_bulk_activity_row (
    bulk_id, contact_id, list_id, action, requested_at, target
)
SELECT
    call.bulk_id,
    routed.contact_id,
    routed.list_id,
    routed.action,
    routed.requested_at,
    routed.target
FROM call
INNER JOIN routed_membership AS routed ON call.target = routed.target
WHERE routed.route = 'create';
