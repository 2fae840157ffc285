-- name: save
-- Keep a search under its name, in place of one that has it. Parameters: name, list_id, action,
-- criteria (JSON), saved_by. Grain: one row.
INSERT INTO ctct_saved_search AS saved (name, list_id, action, criteria, saved_by)
VALUES (%(name)s, %(list_id)s, %(action)s, %(criteria)s::jsonb, %(saved_by)s)
ON CONFLICT (name) DO UPDATE
    SET
        list_id = excluded.list_id,
        action = excluded.action,
        criteria = excluded.criteria,
        saved_by = excluded.saved_by,
        saved_at = excluded.saved_at
RETURNING saved.search_id;

-- name: saved
-- The saved searches by name. Parameters: most. Grain: one row a search.
SELECT
    saved.search_id,
    saved.name,
    saved.action,
    coalesce(list.name, saved.list_id) AS list_name
FROM ctct_saved_search AS saved
LEFT JOIN ctct_list AS list ON saved.list_id = list.list_id
ORDER BY lower(saved.name) ASC, saved.search_id ASC
LIMIT %(most)s;

-- name: look
-- One saved search. Parameters: search_id. Grain: one row, or none.
SELECT
    search_id,
    name,
    list_id,
    action,
    criteria,
    saved_by,
    saved_at
FROM ctct_saved_search
WHERE search_id = %(search_id)s;

-- name: delete
-- Delete a saved search. Parameters: search_id. Grain: one row.
DELETE FROM ctct_saved_search
WHERE search_id = %(search_id)s;
