-- What the call log can be filtered by: each value once, found by hopping from one to the next in
-- its index. Parameters: most. Grain: one row a noun (dag_id, task_id, error_key) and value.
WITH RECURSIVE dag AS (
    SELECT min(dag_id) AS value
    FROM ctct_api_call
    UNION ALL
    SELECT (
        SELECT min(call.dag_id) FROM ctct_api_call AS call
        WHERE call.dag_id > dag.value
    )
    FROM dag
    WHERE dag.value IS NOT NULL
),

task AS (
    SELECT min(task_id) AS value
    FROM ctct_api_call
    UNION ALL
    SELECT (
        SELECT min(call.task_id) FROM ctct_api_call AS call
        WHERE call.task_id > task.value
    )
    FROM task
    WHERE task.value IS NOT NULL
),

error AS (
    SELECT min(error_key) AS value
    FROM ctct_api_call
    UNION ALL
    SELECT
        (
            SELECT min(call.error_key) FROM ctct_api_call AS call
            WHERE call.error_key > error.value
        )
    FROM error
    WHERE error.value IS NOT NULL
)

(SELECT
    'dag_id' AS noun,
    value
FROM dag
WHERE value IS NOT NULL
ORDER BY value LIMIT %(most)s)
UNION ALL
(SELECT
    'task_id',
    value
FROM task
WHERE value IS NOT NULL
ORDER BY value LIMIT %(most)s)
UNION ALL
(SELECT
    'error_key',
    value
FROM error
WHERE value IS NOT NULL
ORDER BY value LIMIT %(most)s);
