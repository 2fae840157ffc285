-- name: stage
-- Where a page of contacts is copied before it is merged; one a connection, empty at commit.
-- Grain: one row of ContactRecord, columns in its order.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_contact (
    contact_id text,
    email_address text,
    permission_to_send text,
    opt_out_source text,
    opt_out_date timestamptz,
    opt_in_source text,
    opt_in_date timestamptz,
    opt_out_reason text,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    list_ids text[]
) ON COMMIT DELETE ROWS;

-- name: upsert_page
-- Mirror the staged page of contacts. Parameters: mirrored_at (before the page was asked for).
-- Grain: one row a contact; one that came twice in the page counts once. An older version, which
-- a page that was on its way may bring, never replaces a newer one's change. Lists that were not
-- asked for stay as they were. Of an erased person nothing is learned but the permission.
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

-- name: same_address
-- Which of some addresses have a key. Parameters: addresses (array, nulls among them), email_key.
-- Grain: one row an address that has it: its position in the array, from 0.
SELECT (listed.nth - 1)::integer AS position
FROM unnest(%(addresses)s::text[]) WITH ORDINALITY AS listed (address, nth)
WHERE ctct_email_key(listed.address) = %(email_key)s
ORDER BY listed.nth;

-- name: mark_purged
-- Mark contacts as deleted that the vendor no longer knows; their addresses are free, and none of
-- our business any more, but for those of people who had unsubscribed themselves: they are not
-- created again as mailable contacts. That others had, a click may tell later: a digest is kept.
-- Parameters: contact_id (array), deleted_at.
-- Grain: one row a contact.
UPDATE ctct_contact
SET
    deleted_at = %(deleted_at)s,
    purged_digest = ctct_email_digest(email_key),
    email_address = CASE
        WHEN permission_to_send = 'unsubscribed' AND opt_out_source = 'Contact'
            THEN email_address
    END
WHERE contact_id = any(%(contact_id)s::text[]) AND deleted_at IS NULL;

-- name: count_seen
-- How many of the vendor's contacts were seen since a time, and how many of those were created
-- since then by the vendor's clock. Parameters: since, created_since. Grain: one row.
SELECT
    count(*) AS seen,
    count(*) FILTER (WHERE created_at >= %(created_since)s) AS created
FROM ctct_contact
WHERE mirrored_at >= %(since)s;

-- name: known
-- Whether the mirror is this account's. Parameters: contact_ids, most. Grain: one row: so many
-- living contacts of the mirror, or fewer if it has no more, and how many it has of these.
SELECT
    array(
        SELECT living.contact_id FROM ctct_contact AS living
        WHERE living.deleted_at IS NULL
        ORDER BY living.contact_id
        LIMIT %(most)s
    ) AS mirrored,
    (
        SELECT count(*) FROM ctct_contact AS these
        WHERE these.contact_id = any(%(contact_ids)s::text[])
    ) AS known;

-- name: count
-- How many contacts the mirror has. Grain: one row.
SELECT
    count(*) FILTER (WHERE deleted_at IS NULL) AS living,
    count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted,
    count(*) FILTER (
        WHERE deleted_at IS NULL AND permission_to_send = 'unsubscribed'
    ) AS unsubscribed,
    count(*) FILTER (WHERE deleted_at IS NULL AND email_key IS NULL) AS without_email
FROM ctct_contact;

-- name: count_unknown
-- How many living contacts have a permission or a source of their opt-out that the contract does
-- not name. Parameters: permissions, opt_out_sources (those that it names).
-- Grain: one row a noun (permission, opt-out source) and value.
SELECT
    stored.noun,
    stored.value,
    count(*) AS count
FROM ctct_contact AS contact
CROSS JOIN
    LATERAL (
        VALUES
        ('permission', contact.permission_to_send, %(permissions)s::text[]),
        ('opt-out source', contact.opt_out_source, %(opt_out_sources)s::text[])
    ) AS stored (noun, value, known)
WHERE contact.deleted_at IS NULL AND stored.value <> all(stored.known)
GROUP BY stored.noun, stored.value
ORDER BY stored.noun, stored.value;

-- name: unseen
-- Contacts that should live and that a full pass did not see.
-- Parameters: since (when it began), most.
-- Grain: one row a contact.
SELECT contact_id
FROM ctct_contact
WHERE deleted_at IS NULL AND mirrored_at < %(since)s
ORDER BY contact_id
LIMIT %(most)s;

-- name: newest_opt_out
-- When the vendor's contacts last opted out, by the vendor's clock. Grain: one row.
SELECT max(opt_out_date) AS opt_out_date FROM ctct_contact;
