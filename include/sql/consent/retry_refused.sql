-- An opt-out that Constant Contact refused is tried again: an address may be refused for two days
-- only. After 20 hours first, then each time after as long as it has been tried already, and at
-- least once a week. Grain: one row a change.
UPDATE crm_opt_out_change
SET status = 'pending', processed_at = NULL
WHERE
    status = 'failed'
    AND do_not_email
    AND clock_timestamp() - processed_at > least(
        INTERVAL '7 days', greatest(INTERVAL '20 hours', processed_at - changed_at)
    );
