-- Numbers that were given after the backup mean something elsewhere: a question that waits in
-- Airflow must not be answered for another stop of the breaker, nor a run of the past be taken for
-- that of a new choice. So they go on from the seconds
-- since 1970, which no number reached before. Grain: one row.
SELECT
    setval(
        pg_get_serial_sequence('ctct_hold', 'hold_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(hold_id) + 1 FROM ctct_hold)
        )
    ) AS hold_id,
    setval(
        pg_get_serial_sequence('crm_opt_out_change', 'change_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(change_id) + 1 FROM crm_opt_out_change)
        )
    ) AS change_id,
    setval(
        pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(bulk_id) + 1 FROM ctct_bulk_activity)
        )
    ) AS bulk_id,
    setval(
        pg_get_serial_sequence('ctct_choice', 'choice_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(choice_id) + 1 FROM ctct_choice)
        )
    ) AS choice_id;
