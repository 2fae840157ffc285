-- Split a call that was refused as a whole: into halves of its contacts, or of its lists if it has
-- one contact; and one contact alone where it is not known whether any is accepted.
-- Parameters: bulk_id, is_probed, error. Grain: one row a new call.
WITH refused AS (
    UPDATE ctct_bulk_activity
    SET state = 'done', error = %(error)s, ended_at = clock_timestamp()
    WHERE bulk_id = %(bulk_id)s
    RETURNING kind
),

numbered AS (
    SELECT
        contact_id,
        target,
        list_id,
        dense_rank() OVER (ORDER BY md5(target || %(bulk_id)s::text), target) AS nth,
        dense_rank() OVER (ORDER BY list_id) AS nth_list
    FROM ctct_bulk_activity_row
    WHERE bulk_id = %(bulk_id)s
),

counted AS (
    SELECT
        max(nth) AS contacts,
        max(nth_list) AS lists
    FROM numbered
),

parted AS MATERIALIZED (
    SELECT
        numbered.contact_id,
        numbered.target,
        numbered.list_id,
        CASE
            WHEN counted.contacts = 1 THEN 1 + (numbered.nth_list * 2 > counted.lists)::int
            WHEN numbered.nth = 1 AND %(is_probed)s THEN 0
            ELSE 1 + (numbered.nth * 2 > counted.contacts)::int
        END AS part
    FROM numbered
    CROSS JOIN counted
),

call AS MATERIALIZED (
    SELECT
        part,
        contacts,
        list_ids,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id
    FROM (
        SELECT
            part,
            count(DISTINCT target) AS contacts,
            array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
        FROM parted
        GROUP BY part
        ORDER BY part
    ) AS grouped
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        call.bulk_id,
        refused.kind,
        call.list_ids,
        call.contacts
    FROM call
    CROSS JOIN refused
),

moved AS (
    UPDATE ctct_bulk_activity_row AS carried
    SET bulk_id = call.bulk_id
    FROM parted
    INNER JOIN call ON parted.part = call.part
    WHERE
        carried.bulk_id = %(bulk_id)s
        AND carried.contact_id = parted.contact_id
        AND carried.list_id = parted.list_id
)

SELECT bulk_id FROM call
ORDER BY bulk_id;
