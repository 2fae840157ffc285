-- Mirror the staged page of contacts. Parameters: mirrored_at (before the page was asked for).
-- Grain: one row a contact; one that came twice in the page counts once. An older version, which
-- a page that was on its way may bring, never replaces a newer one's change. Lists that were not
-- asked for stay as they were. Of somebody who was erased nothing is learned but the permission.
INSERT INTO ctct_contact AS mirrored (
    contact_id, email_address, permission_to_send, opt_out_source, opt_out_date, opt_in_source,
    opt_in_date, opt_out_reason, created_at, updated_at, deleted_at, list_ids, mirrored_at
)
SELECT DISTINCT ON (staged.contact_id)
    staged.contact_id,
    CASE WHEN erased.constant_contact_id IS NULL THEN staged.email_address END,
    staged.permission_to_send,
    staged.opt_out_source,
    staged.opt_out_date,
    staged.opt_in_source,
    staged.opt_in_date,
    CASE WHEN erased.constant_contact_id IS NULL THEN staged.opt_out_reason END,
    staged.created_at,
    staged.updated_at,
    staged.deleted_at,
    CASE WHEN erased.constant_contact_id IS NULL THEN staged.list_ids END,
    %(mirrored_at)s
FROM staged_contact AS staged
LEFT JOIN ctct_erased AS erased ON staged.contact_id = erased.constant_contact_id
ORDER BY staged.contact_id ASC, staged.updated_at DESC NULLS LAST
ON CONFLICT (contact_id) DO UPDATE SET
    email_address = excluded.email_address,
    permission_to_send = excluded.permission_to_send,
    opt_out_source = excluded.opt_out_source,
    opt_out_date = excluded.opt_out_date,
    opt_in_source = excluded.opt_in_source,
    opt_in_date = excluded.opt_in_date,
    opt_out_reason = excluded.opt_out_reason,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at,
    deleted_at = excluded.deleted_at,
    list_ids = coalesce(excluded.list_ids, mirrored.list_ids),
    mirrored_at = excluded.mirrored_at
WHERE mirrored.mirrored_at <= excluded.mirrored_at;
