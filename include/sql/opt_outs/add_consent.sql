-- Keep what the rules decided about a change, and on which call it rests. Parameters: one a column.
-- Grain: one row.
INSERT INTO ctct_consent (
    change_id, decision, detail, constant_contact_id,
    permission_before, opt_out_source_before, permission_after, opt_out_source_after,
    call_method, called_at, call_status, request_id
)
VALUES (
    %(change_id)s, %(decision)s, %(detail)s, %(constant_contact_id)s,
    %(permission_before)s, %(opt_out_source_before)s,
    %(permission_after)s, %(opt_out_source_after)s,
    %(call_method)s, %(called_at)s, %(call_status)s, %(request_id)s
);
