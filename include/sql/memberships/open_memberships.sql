-- What of the requests a run is about, for the decision to begin one: what is done is all that ever
-- was, and not read. Grain: one row. `in_flight` counts calls that the vendor works on: they are to
-- be looked at even if nothing is pending any more.
SELECT
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'pending'
    ) AS pending,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'held'
    ) AS held,
    (
        SELECT count(*) FROM ctct_bulk_activity
        WHERE state <> 'done' AND state <> 'planned'
    ) AS in_flight;
