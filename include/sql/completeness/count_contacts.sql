-- How many contacts the mirror has, and how many of them changed in the last hours; beside these,
-- what the CRM had changed at the vendor since. Parameters: in_flight (interval).
-- Grain: one row a permission; those without one (no address) have none.
SELECT
    contact.permission_to_send AS permission,
    count(*) FILTER (WHERE contact.deleted_at IS NULL) AS living,
    count(*) FILTER (WHERE contact.deleted_at IS NOT NULL) AS deleted,
    count(*) FILTER (
        WHERE greatest(
            contact.created_at, contact.updated_at, contact.opt_in_date, contact.opt_out_date,
            contact.deleted_at
        ) >= clock_timestamp() - %(in_flight)s
    ) AS recent
FROM ctct_contact AS contact
GROUP BY contact.permission_to_send;
