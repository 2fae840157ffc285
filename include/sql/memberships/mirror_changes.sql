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

kept AS (
    SELECT
        mirrored.contact_id AS target,
        had.list_id,
        'add' AS action
    FROM ctct_contact AS mirrored
    CROSS JOIN unnest(mirrored.list_ids) AS had (list_id)
    WHERE mirrored.contact_id IN (SELECT target FROM changed)
),

-- On a list is who was added, and who was there and is not removed.
now_on AS (
    SELECT
        coalesce(kept.target, changed.target) AS target,
        coalesce(kept.list_id, changed.list_id) AS list_id
    FROM kept
    FULL OUTER JOIN changed ON kept.target = changed.target AND kept.list_id = changed.list_id
    WHERE coalesce(changed.action, kept.action) = 'add'
)

UPDATE ctct_contact AS mirrored
SET
    list_ids = coalesce(lists.list_ids, '{}'),
    mirrored_at = clock_timestamp()
FROM (SELECT DISTINCT target FROM changed) AS who
LEFT JOIN (
    SELECT
        target,
        array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids
    FROM now_on
    GROUP BY target
) AS lists ON who.target = lists.target
WHERE mirrored.contact_id = who.target;
