-- How many ids of what was read are in the CRM more than once. It follows a CTE, seam_contact:
-- contacts.sql with our names. Grain: one row.
SELECT count(*) AS doubled
FROM (
    SELECT contact_id FROM seam_contact
    WHERE contact_id IN (SELECT read.contact_id FROM read_contact AS read)
    GROUP BY contact_id
    HAVING count(*) > 1
) AS doubled;
