-- How many lists the mirror has. Grain: one row.
SELECT
    count(*) FILTER (WHERE deleted_at IS NULL) AS active,
    count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted
FROM ctct_list;
