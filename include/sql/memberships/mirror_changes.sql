-- The mirror learns what ended calls did, where their counters say that all of it was done.
-- Grain: one row a contact of the vendor.
WITH changed AS (
    SELECT
        carried.target,
        carried.list_id,
        carried.action
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    WHERE activity.state = 'ended' AND activity.adds_up AND activity.kind IN ('add', 'remove')
),

now_on AS (
    SELECT
        target,
        list_id
    FROM changed
    WHERE action = 'add'
    UNION
    SELECT
        mirrored.contact_id AS target,
        had.list_id
    FROM ctct_contact AS mirrored
    CROSS JOIN unnest(mirrored.list_ids) AS had (list_id)
    INNER JOIN (SELECT DISTINCT target FROM changed) AS who ON mirrored.contact_id = who.target
    LEFT JOIN changed AS gone
        ON
            mirrored.contact_id = gone.target
            AND had.list_id = gone.list_id
            AND gone.action = 'remove'
    WHERE gone.target IS NULL
)

UPDATE ctct_contact AS mirrored
SET
    list_ids = coalesce(lists.list_ids, '{}'),
    mirrored_at = clock_timestamp()
FROM (SELECT DISTINCT target FROM changed) AS who
LEFT JOIN (
    SELECT
        target,
        array_agg(list_id ORDER BY list_id) AS list_ids
    FROM now_on
    GROUP BY target
) AS lists ON who.target = lists.target
WHERE mirrored.contact_id = who.target;
