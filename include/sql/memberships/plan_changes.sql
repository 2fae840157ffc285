-- Plan the calls that add linked contacts to lists and remove them. Contacts that want the same
-- lists share a call; where so many combinations occur that a call for each list is cheaper, that.
-- Parameters: most_contacts, most_lists (in a call). Grain: one row a request.
WITH change AS (
    SELECT DISTINCT
        route AS kind,
        target,
        list_id
    FROM routed_membership
    WHERE route IN ('add', 'remove')
),

by_combination AS (
    SELECT
        'combination' AS way,
        kind,
        target,
        array_agg(list_id ORDER BY list_id) AS list_ids
    FROM (
        SELECT
            *,
            (row_number() OVER (PARTITION BY kind, target ORDER BY list_id) - 1)
            / %(most_lists)s AS part
        FROM change
    ) AS numbered
    GROUP BY kind, target, part
),

either_way AS (
    SELECT * FROM by_combination
    UNION ALL
    SELECT
        'list' AS way,
        kind,
        target,
        ARRAY[list_id] AS list_ids
    FROM change
),

cheaper AS (
    SELECT DISTINCT ON (kind)
        kind,
        way
    FROM (
        SELECT
            kind,
            way,
            list_ids,
            ceil(count(*) / %(most_contacts)s::numeric) AS calls
        FROM either_way
        GROUP BY kind, way, list_ids
    ) AS counted
    GROUP BY kind, way
    ORDER BY kind ASC, sum(calls) ASC, way ASC
),

member AS MATERIALIZED (
    SELECT
        either_way.kind,
        either_way.target,
        either_way.list_ids,
        (
            row_number() OVER (
                PARTITION BY either_way.kind, either_way.list_ids ORDER BY either_way.target
            ) - 1
        ) / %(most_contacts)s AS part
    FROM either_way
    INNER JOIN cheaper ON either_way.kind = cheaper.kind AND either_way.way = cheaper.way
),

call AS MATERIALIZED (
    SELECT
        kind,
        list_ids,
        part,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id,
        count(*) AS contacts
    FROM member
    GROUP BY kind, list_ids, part
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        bulk_id,
        kind,
        list_ids,
        contacts
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
INNER JOIN member
    ON
        call.kind = member.kind
        AND call.list_ids = member.list_ids
        AND call.part = member.part
INNER JOIN routed_membership AS routed
    ON
        member.target = routed.target
        AND member.kind = routed.route
        AND routed.list_id = any(member.list_ids);
