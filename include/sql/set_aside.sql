-- name: keep
-- Keep rows that are set aside; since when, stays. Parameters: noun; arrays row_id, reason.
-- Grain: one row a row of the vendor's.
INSERT INTO ctct_set_aside AS known (noun, row_id, reason)
SELECT
    %(noun)s,
    row_id,
    reason
FROM unnest(%(row_id)s::text[], %(reason)s::text[]) AS met (row_id, reason)
ON CONFLICT (noun, row_id) DO UPDATE SET
    reason = excluded.reason,
    tried_at = excluded.tried_at;

-- name: settle
-- Forget rows that were set aside and have gone through, or are gone. Parameters: noun; row_id
-- (array). Grain: one row a row of the vendor's.
DELETE FROM ctct_set_aside
WHERE noun = %(noun)s AND row_id = any(%(row_id)s::text[]);

-- name: standing
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
