-- A person releases what the circuit breaker holds (a held change that sets the flag is the
-- breaker's; one that clears it waits for the contact's own word). Grain: one row a change.
UPDATE crm_opt_out_change
SET
    status = 'pending',
    released_at = clock_timestamp(),
    processed_at = NULL,
    detail = 'Released by hand.'
WHERE status = 'held' AND do_not_email;
