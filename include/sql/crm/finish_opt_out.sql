-- Keep what became of a change. Parameters: change_id, status, detail. Grain: one row.
UPDATE crm_opt_out_change
SET
    status = %(status)s,
    detail = %(detail)s,
    attempts = attempts + 1,
    processed_at = clock_timestamp()
WHERE change_id = %(change_id)s;
