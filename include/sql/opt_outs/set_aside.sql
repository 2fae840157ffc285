-- Say why a change that was tried waits on. Parameters: change_id, detail. Grain: one row.
UPDATE crm_opt_out_change
SET
    detail = %(detail)s,
    attempts = attempts + 1
WHERE change_id = %(change_id)s;
