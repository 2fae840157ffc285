-- A person releases what one stop of the circuit breaker holds. Parameters: hold_id, decided_by.
-- Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = 'pending',
    released_at = clock_timestamp(),
    processed_at = NULL,
    detail = 'Released by ' || %(decided_by)s || '.'
WHERE
    membership.status = 'held'
    AND membership.hold_id = %(hold_id)s::bigint;
