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
