-- What wakes the DAG: the newest request that waits, and the newest stop of the circuit breaker
-- that nobody was asked about yet. Grain: one row; `waiting` is null where there is nothing.
SELECT
    nullif(
        concat_ws(
            ' ',
            (
                SELECT max(requested_at)
                FROM crm_list_membership
                WHERE status = 'pending'
            ),
            (
                SELECT 'hold ' || max(hold_id)
                FROM ctct_hold
                WHERE noun = 'memberships' AND asked_at IS NULL AND answer IS NULL
            )
        ),
        ''
    ) AS waiting;
