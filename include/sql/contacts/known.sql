-- Whether the mirror is this account's. Parameters: contact_ids. Grain: one row: whether the mirror
-- has ten living contacts or more, since of fewer all may be new, and how many it has of these.
SELECT
    (
        SELECT count(*) = 10 FROM (
            SELECT living.contact_id FROM ctct_contact AS living
            WHERE living.deleted_at IS NULL
            ORDER BY living.contact_id
            LIMIT 10
        ) AS first_ten
    ) AS mirrored,
    (
        SELECT count(*) FROM ctct_contact AS these
        WHERE these.contact_id = any(%(contact_ids)s::text[])
    ) AS known;
