-- Link CRM contacts to the vendor's as `links/want` found, all at once; a link that changed since
-- then is left. Grain: one row, what was changed.
WITH changed AS (
    UPDATE ctct_link AS link
    SET constant_contact_id = wanted.new_id, linked_at = clock_timestamp(), link_hold_id = NULL
    FROM wanted_link AS wanted
    WHERE
        link.contact_id = wanted.contact_id
        AND link.constant_contact_id IS NOT DISTINCT FROM wanted.old_id
    RETURNING wanted.old_id, wanted.new_id
)

SELECT
    count(*) FILTER (WHERE old_id IS NULL) AS linked,
    count(*) FILTER (WHERE old_id IS NOT NULL AND new_id IS NOT NULL) AS relinked,
    count(*) FILTER (WHERE new_id IS NULL) AS unlinked
FROM changed;
