-- What was decided about a change of Do Not Email, by whom and by which call.
-- Parameters: change_id. Grain: one row a decision, the newest first, at most 50.
SELECT
    decided_at,
    decision,
    detail,
    decided_by,
    permission_before,
    permission_after,
    call_method,
    call_status,
    request_id
FROM ctct_consent
WHERE change_id = %(change_id)s
ORDER BY consent_id DESC
LIMIT 50;
