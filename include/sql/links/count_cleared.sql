-- How many links would be cleared. Grain: one row.
SELECT count(*) AS cleared FROM wanted_link
WHERE new_id IS NULL;
