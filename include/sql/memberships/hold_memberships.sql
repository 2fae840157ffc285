-- The circuit breaker: hold what would take too many contacts off lists at once, for one person to
-- answer; not what is on its way. Parameters: detail. Grain: one row a request.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('memberships', %(detail)s)
    RETURNING hold_id
)

UPDATE crm_list_membership AS membership
SET
    status = 'held',
    processed_at = clock_timestamp(),
    detail = %(detail)s,
    hold_id = hold.hold_id
FROM hold
WHERE
    membership.status = 'pending'
    AND membership.action = 'remove'
    AND membership.released_at IS NULL
    AND NOT EXISTS (
        SELECT FROM ctct_bulk_activity_row AS carried
        INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
        WHERE
            carried.contact_id = membership.contact_id
            AND carried.list_id = membership.list_id
            AND activity.state NOT IN ('planned', 'done')
    );
