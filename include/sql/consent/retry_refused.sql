-- An opt-out that Constant Contact refused is tried again a day later: an address may be refused
-- for two days only. Grain: one row a change.
UPDATE crm_opt_out_change
SET status = 'pending', processed_at = NULL
WHERE
    status = 'failed'
    AND do_not_email
    AND processed_at < clock_timestamp() - INTERVAL '20 hours';
