-- A person says no to what the circuit breaker holds: it stays held.
-- Parameters: hold_id, decided_by. Grain: one row a request.
UPDATE crm_list_membership
SET
    detail = %(decided_by)s || ' said no to this mass removal. '
    || 'Set the row to pending again if it is meant.'
WHERE status = 'held' AND hold_id = %(hold_id)s;
