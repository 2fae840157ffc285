-- Whether the mirror is this account's. Parameters: contact_ids. Grain: one row: whether the mirror
-- has a living contact, and how many it has of these.
SELECT
    exists(
        SELECT FROM ctct_contact AS living
        WHERE living.deleted_at IS NULL
    ) AS mirrored,
    (
        SELECT count(*) FROM ctct_contact AS these
        WHERE these.contact_id = any(%(contact_ids)s::text[])
    ) AS known;
