-- Mark as deleted what a whole listing no longer had. Parameters: mirrored_at (of that listing).
-- Grain: one row a list.
UPDATE ctct_list
SET deleted_at = %(mirrored_at)s
WHERE deleted_at IS NULL AND mirrored_at < %(mirrored_at)s;
