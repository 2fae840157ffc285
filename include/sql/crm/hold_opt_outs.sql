-- The circuit breaker: hold what would unsubscribe too many at once. Parameters: detail.
-- Grain: one row a change.
UPDATE crm_opt_out_change
SET status = 'held', processed_at = clock_timestamp(), detail = %(detail)s
WHERE status = 'pending' AND do_not_email AND released_at IS NULL;
