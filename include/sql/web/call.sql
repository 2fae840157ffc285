-- One call with everything that is kept of it. Parameters: call_id. Grain: one row.
SELECT
    call_id,
    called_at,
    dag_id,
    task_id,
    run_id,
    map_index,
    try_number,
    method,
    path,
    status,
    error_key,
    error_message,
    items,
    reply_bytes,
    duration_ms,
    waited_ms,
    request_id,
    tracking_id,
    reply_body
FROM ctct_api_call
WHERE call_id = %(call_id)s;
