-- How many changes of the CRM's were carried to the vendor in the last hours, and of how many
-- erased contacts the mirror has no lists.
-- Parameters: in_flight (interval). Grain: one row.
SELECT
    (
        SELECT count(*) FROM crm_opt_out_change
        WHERE status = 'done' AND processed_at >= clock_timestamp() - %(in_flight)s
    )
    + (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'done' AND processed_at >= clock_timestamp() - %(in_flight)s
    ) AS carried,
    (SELECT count(*) FROM ctct_erased) AS erased;
