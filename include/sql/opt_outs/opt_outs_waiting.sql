-- What wakes the DAG: the newest change that waits, and the newest stop of the circuit breaker that
-- nobody was asked about yet. Grain: one row; `waiting` is null where there is nothing.
SELECT
    nullif(
        concat_ws(
            ' ',
            (
                SELECT max(change_id)
                FROM crm_opt_out_change
                WHERE status = 'pending'
            ),
            (
                SELECT 'hold ' || max(hold_id)
                FROM ctct_hold
                WHERE noun = 'opt_outs' AND asked_at IS NULL AND answer IS NULL
            )
        ),
        ''
    ) AS waiting;
