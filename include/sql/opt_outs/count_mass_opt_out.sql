-- What the circuit breaker weighs over a rolling day. Parameters: by_contact (of the changes that
-- the contacts asked for, or of the others: a mass of the one must not hold up the other).
-- Grain: one row: contacts that waiting changes would unsubscribe, and those that were unsubscribed
-- within the day besides (what a person released is not weighed again).
WITH waiting AS (
    SELECT DISTINCT
        coalesce(
            CASE WHEN change.is_found THEN change.constant_contact_id END,
            crm.constant_contact_id,
            change.constant_contact_id
        ) AS constant_contact_id
    FROM crm_opt_out_change AS change
    LEFT JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
    WHERE
        change.status = 'pending'
        AND change.do_not_email
        AND change.released_at IS NULL
        AND coalesce(change.requested_by_contact, FALSE) = %(by_contact)s
),

carried AS (
    SELECT DISTINCT consent.constant_contact_id
    FROM crm_opt_out_change AS change
    INNER JOIN ctct_consent AS consent ON change.change_id = consent.change_id
    WHERE
        change.status = 'done'
        AND change.processed_at > clock_timestamp() - INTERVAL '1 day'
        AND change.do_not_email
        AND change.released_at IS NULL
        AND coalesce(change.requested_by_contact, FALSE) = %(by_contact)s
        AND consent.decision = 'unsubscribed'
        AND consent.permission_after = 'unsubscribed'
)

SELECT
    (
        SELECT count(*) FROM waiting
        WHERE
            waiting.constant_contact_id IS NOT NULL
            -- Who is unsubscribed already is reached by nothing.
            AND NOT EXISTS (
                SELECT FROM ctct_contact AS mirrored
                WHERE
                    mirrored.contact_id = waiting.constant_contact_id
                    AND mirrored.permission_to_send = 'unsubscribed'
            )
    ) AS waiting,
    (SELECT count(*) FROM carried) AS carried;
