-- Forget rows that were set aside and have gone through, or are gone. Parameters: noun; row_id
-- (array). Grain: one row a row of the vendor's.
DELETE FROM ctct_set_aside
WHERE noun = %(noun)s AND row_id = any(%(row_id)s::text[]);
