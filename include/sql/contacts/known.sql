-- Whether the mirror is this account's: how many living contacts it has, and how many of these.
-- Parameters: contact_ids. Grain: one row; `mirrored` is 1 if there is any.
SELECT
    (SELECT count(*) FROM (SELECT FROM ctct_contact WHERE deleted_at IS NULL LIMIT 1) AS one)
        AS mirrored,
    (SELECT count(*) FROM ctct_contact WHERE contact_id = any(%(contact_ids)s::text[])) AS known;
