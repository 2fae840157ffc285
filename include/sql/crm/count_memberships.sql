-- How the requests stand. Grain: one row. `in_flight` counts calls that the vendor works on: they
-- are to be looked at even if nothing is pending any more.
SELECT
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'held') AS held,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'rejected') AS rejected,
    count(*) FILTER (WHERE status = 'done') AS done,
    (
        SELECT count(*) FROM ctct_bulk_activity
        WHERE state NOT IN ('planned', 'done')
    ) AS in_flight
FROM crm_list_membership;
