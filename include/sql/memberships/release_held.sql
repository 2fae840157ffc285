-- A person releases what the circuit breaker holds. Parameters: hold_id (null: all that is held,
-- but what a person said no to), decided_by. Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = 'pending',
    released_at = clock_timestamp(),
    processed_at = NULL,
    detail = 'Released by ' || %(decided_by)s || '.'
WHERE
    membership.status = 'held'
    AND (
        membership.hold_id = %(hold_id)s::bigint
        OR (
            %(hold_id)s::bigint IS NULL
            AND NOT EXISTS (
                SELECT FROM ctct_hold AS hold
                WHERE hold.hold_id = membership.hold_id AND hold.answer = 'rejected'
            )
        )
    );
