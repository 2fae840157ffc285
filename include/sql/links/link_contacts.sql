-- Link CRM contacts to the vendor's as `want_links` found, all at once; a link that changed since
-- then is left. Grain: one row, what was changed.
WITH changed AS (
    UPDATE crm_contact AS crm
    SET constant_contact_id = wanted.new_id
    FROM wanted_link AS wanted
    WHERE
        crm.contact_id = wanted.contact_id
        AND crm.constant_contact_id IS NOT DISTINCT FROM wanted.old_id
    RETURNING wanted.old_id, wanted.new_id
)

SELECT
    count(*) FILTER (WHERE old_id IS NULL) AS linked,
    count(*) FILTER (WHERE old_id IS NOT NULL AND new_id IS NOT NULL) AS relinked,
    count(*) FILTER (WHERE new_id IS NULL) AS unlinked
FROM changed;
