-- Mark as deleted what a whole listing, deleted ones included, no longer had: it was purged.
-- Parameters: mirrored_at (when that listing began). Grain: one row a contact.
UPDATE ctct_contact
SET deleted_at = %(mirrored_at)s
WHERE deleted_at IS NULL AND mirrored_at < %(mirrored_at)s;
