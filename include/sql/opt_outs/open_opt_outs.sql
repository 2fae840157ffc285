-- What of the outbox a run is about, for the decision to begin one: what is done is all that ever
-- was, and not read. Grain: one row.
SELECT
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'held') AS held
FROM crm_opt_out_change
WHERE status IN ('pending', 'held');
