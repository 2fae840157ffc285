-- A person says no to what the circuit breaker holds: it stays held.
-- Parameters: hold_id, decided_by. Grain: one row a change.
WITH rejected AS (
    UPDATE crm_opt_out_change
    SET
        detail = 'A person said no to this mass change. '
        || CASE
            WHEN do_not_email THEN 'Clear Do Not Email and set it again if it is meant.'
            ELSE 'Set Do Not Email and clear it again if it is meant.'
        END
    WHERE status = 'held' AND hold_id = %(hold_id)s
    RETURNING change_id, detail, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, decided_by, constant_contact_id)
SELECT
    change_id,
    'rejected',
    detail,
    %(decided_by)s,
    constant_contact_id
FROM rejected;
