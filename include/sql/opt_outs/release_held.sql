-- A person releases what the circuit breaker holds (a held change that sets the flag is the
-- breaker's; one that clears it waits for the contact's own word).
-- Parameters: hold_id (null: all that is held, but what a person said no to), decided_by.
-- Grain: one row a change.
WITH released AS (
    UPDATE crm_opt_out_change
    SET
        status = 'pending',
        released_at = clock_timestamp(),
        processed_at = NULL,
        detail = 'Released by a person.'
    WHERE
        status = 'held'
        AND do_not_email
        AND (
            hold_id = %(hold_id)s::bigint
            OR (
                %(hold_id)s::bigint IS NULL
                AND NOT EXISTS (
                    SELECT FROM ctct_hold AS hold
                    WHERE hold.hold_id = crm_opt_out_change.hold_id AND hold.answer = 'rejected'
                )
            )
        )
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, decided_by, constant_contact_id)
SELECT
    change_id,
    'released',
    %(decided_by)s,
    constant_contact_id
FROM released;
