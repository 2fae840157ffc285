-- What the circuit breaker weighs. Grain: one row: contacts that waiting changes would
-- unsubscribe, and contacts that are linked at all.
SELECT
    (
        SELECT count(DISTINCT crm.constant_contact_id)
        FROM crm_opt_out_change AS change
        INNER JOIN crm_contact AS crm ON change.contact_id = crm.contact_id
        WHERE change.status = 'pending' AND change.do_not_email
    ) AS waiting,
    (
        SELECT count(DISTINCT constant_contact_id)
        FROM crm_contact
    ) AS linked;
