-- What is set aside, the longest first. Parameters: noun (null: all).
-- Grain: one row a row of the vendor's.
SELECT
    noun,
    row_id,
    reason,
    found_at,
    tried_at
FROM ctct_set_aside
WHERE %(noun)s::text IS NULL OR noun = %(noun)s
ORDER BY found_at, noun, row_id;
