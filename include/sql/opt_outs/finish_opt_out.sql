-- Keep what became of a change that waits, and of which contact. Parameters: change_id, status,
-- detail, constant_contact_id. Grain: one row, unless another worker has ended it.
UPDATE crm_opt_out_change
SET
    status = %(status)s,
    detail = %(detail)s,
    constant_contact_id = coalesce(%(constant_contact_id)s, constant_contact_id),
    attempts = attempts + 1,
    processed_at = clock_timestamp()
WHERE change_id = %(change_id)s AND status = 'pending';
