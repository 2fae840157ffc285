-- The calls that a person asks for, in no order; null asks for all. `before_at` and `before_id`,
-- `after_at` and `after_id`: where a page ended.
-- Parameters: since, until, dag_id, run_id, task_id, map_index, method, path_like, path_start (the
-- same without a query), status, status_least, status_most, is_failed, error_key, request_id,
-- before_at, before_id, after_at, after_id. Grain: one row a call.
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
    tracking_id
FROM ctct_api_call
WHERE
    (%(since)s::TIMESTAMPTZ IS NULL OR called_at >= %(since)s::TIMESTAMPTZ)
    AND (%(until)s::TIMESTAMPTZ IS NULL OR called_at < %(until)s::TIMESTAMPTZ)
    AND (%(dag_id)s::TEXT IS NULL OR dag_id = %(dag_id)s::TEXT)
    AND (%(run_id)s::TEXT IS NULL OR run_id = %(run_id)s::TEXT)
    AND (%(task_id)s::TEXT IS NULL OR task_id = %(task_id)s::TEXT)
    AND (%(map_index)s::INTEGER IS NULL OR map_index = %(map_index)s::INTEGER)
    AND (%(method)s::TEXT IS NULL OR method = %(method)s::TEXT)
    AND (%(path_like)s::TEXT IS NULL OR path LIKE %(path_like)s::TEXT)
    AND (
        %(path_start)s::TEXT IS NULL
        OR split_part(path, '?', 1) LIKE %(path_start)s::TEXT
    )
    -- 0: no answer
    AND (%(status)s::INTEGER IS NULL OR coalesce(status, 0) = %(status)s::INTEGER)
    AND (
        %(status_least)s::INTEGER IS NULL
        OR status BETWEEN %(status_least)s::INTEGER AND %(status_most)s::INTEGER
    )
    AND (NOT %(is_failed)s::BOOLEAN OR error_message IS NOT NULL)
    AND (%(error_key)s::TEXT IS NULL OR error_key = %(error_key)s::TEXT)
    AND (%(request_id)s::TEXT IS NULL OR request_id = %(request_id)s::TEXT)
    AND (
        %(before_at)s::TIMESTAMPTZ IS NULL
        OR (called_at, call_id) < (%(before_at)s::TIMESTAMPTZ, %(before_id)s::BIGINT)
    )
    AND (
        %(after_at)s::TIMESTAMPTZ IS NULL
        OR (called_at, call_id) > (%(after_at)s::TIMESTAMPTZ, %(after_id)s::BIGINT)
    );
