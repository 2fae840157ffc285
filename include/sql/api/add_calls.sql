-- Keep API calls. Parameters: arrays, one a column; dag_id, task_id, run_id,
-- try_number, map_index.
-- Grain: one row a call.
INSERT INTO ctct_api_call (
    called_at, dag_id, task_id, run_id, try_number, map_index, method, path, status, error_key,
    error_message, items, reply_bytes, duration_ms, waited_ms, request_id, tracking_id, reply_body
)
SELECT
    called_at,
    %(dag_id)s,
    %(task_id)s,
    %(run_id)s,
    %(try_number)s,
    %(map_index)s,
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
FROM unnest(
    %(called_at)s::TIMESTAMPTZ[], %(method)s::TEXT[], %(path)s::TEXT[], %(status)s::INTEGER[],
    %(error_key)s::TEXT[], %(error_message)s::TEXT[], %(items)s::INTEGER[],
    %(reply_bytes)s::INTEGER[], %(duration_ms)s::INTEGER[], %(waited_ms)s::INTEGER[],
    %(request_id)s::TEXT[], %(tracking_id)s::TEXT[], %(reply_body)s::TEXT[]
) AS call (
    called_at, method, path, status, error_key, error_message, items, reply_bytes, duration_ms,
    waited_ms, request_id, tracking_id, reply_body
);
