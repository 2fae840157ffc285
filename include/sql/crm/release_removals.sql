-- A person releases what the circuit breaker holds. Grain: one row a request.
UPDATE crm_list_membership
SET
    status = 'pending',
    released_at = clock_timestamp(),
    processed_at = NULL,
    detail = 'Released by hand.'
WHERE status = 'held';
