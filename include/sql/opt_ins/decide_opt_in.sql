-- A person decided about a held opt-in. Parameters: change_id, status, detail, decision,
-- decided_by, and the call that was made, if one was: call_method, called_at, call_status,
-- request_id. Grain: one row, if the change is still held.
WITH decided AS (
    UPDATE crm_opt_out_change
    SET status = %(status)s, detail = %(detail)s, processed_at = clock_timestamp()
    WHERE change_id = %(change_id)s AND status = 'held'
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (
    change_id, decision, detail, decided_by, constant_contact_id,
    call_method, called_at, call_status, request_id
)
SELECT
    change_id,
    %(decision)s,
    %(detail)s,
    %(decided_by)s,
    constant_contact_id,
    %(call_method)s,
    %(called_at)s::timestamptz,
    %(call_status)s::integer,
    %(request_id)s
FROM decided;
