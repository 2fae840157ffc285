-- How many lists the requests name that the mirror does not know. Grain: one row.
SELECT count(DISTINCT wanted.list_id) AS unknown
FROM wanted_membership AS wanted
WHERE NOT EXISTS (
    SELECT FROM ctct_list AS list
    WHERE list.list_id = wanted.list_id
);
