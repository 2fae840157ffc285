-- What the circuit breaker weighs over a rolling day. Grain: one row: contacts that waiting changes
-- would let be mailed again, and those that are so within the day (what a person released is not
-- weighed again).
WITH waiting AS (
    SELECT DISTINCT
        change.contact_id,
        CASE WHEN change.is_found THEN change.constant_contact_id END AS constant_contact_id
    FROM crm_opt_out_change AS change
    WHERE
        change.status = 'pending'
        AND NOT change.do_not_email
        AND change.released_at IS NULL
),

carried AS (
    SELECT DISTINCT
        change.contact_id,
        CASE WHEN change.is_found THEN change.constant_contact_id END AS constant_contact_id
    FROM crm_opt_out_change AS change
    INNER JOIN ctct_consent AS consent ON change.change_id = consent.change_id
    WHERE
        change.status = 'done'
        AND change.processed_at > clock_timestamp() - INTERVAL '1 day'
        AND NOT change.do_not_email
        AND change.released_at IS NULL
        AND consent.decision = 'resubscribed'
)

SELECT
    (SELECT count(*) FROM waiting) AS waiting,
    (SELECT count(*) FROM carried) AS carried;
