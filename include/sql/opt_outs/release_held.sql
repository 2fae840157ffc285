-- A person releases what one stop of the circuit breaker holds. Parameters: hold_id, decided_by.
-- Grain: one row a change.
WITH released AS (
    UPDATE crm_opt_out_change
    SET
        status = 'pending',
        released_at = clock_timestamp(),
        processed_at = NULL,
        detail = 'Released by a person.'
    WHERE status = 'held' AND hold_id = %(hold_id)s::bigint
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, decided_by, constant_contact_id)
SELECT
    change_id,
    'released',
    %(decided_by)s,
    constant_contact_id
FROM released;
