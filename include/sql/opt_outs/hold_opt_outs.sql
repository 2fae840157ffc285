-- The circuit breaker: hold what would unsubscribe too many at once, for one person to answer.
-- Parameters: detail, by_contact (as they were weighed). Grain: one row a change.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('opt_outs', %(detail)s)
    RETURNING hold_id
),

held AS (
    UPDATE crm_opt_out_change
    SET
        status = 'held',
        processed_at = clock_timestamp(),
        detail = %(detail)s,
        hold_id = hold.hold_id
    FROM hold
    WHERE
        status = 'pending'
        AND do_not_email
        AND released_at IS NULL
        AND coalesce(requested_by_contact, FALSE) = %(by_contact)s
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'held',
    %(detail)s,
    constant_contact_id
FROM held;
