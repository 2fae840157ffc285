-- Which lists are no longer there. Parameters: list_ids (array). Grain: one row a list.
SELECT wanted.list_id
FROM unnest(%(list_ids)s::text[]) AS wanted (list_id)
LEFT JOIN ctct_list AS list ON wanted.list_id = list.list_id
WHERE list.list_id IS NULL OR list.deleted_at IS NOT NULL;
