-- %(calls)s API calls of the last 90 days, as nights of an account make them: bursts of reads, a
-- few writes, one in fifty failed. Number 777 and a few like it are what a search looks for.
INSERT INTO ctct_api_call (
    called_at, dag_id, task_id, run_id, try_number, map_index, method, path, status, error_key,
    error_message, items, reply_bytes, duration_ms, waited_ms, request_id, tracking_id, reply_body
)
SELECT
    now() - (%(calls)s - number) * (INTERVAL '90 days' / %(calls)s),
    'constant_contact_' || dag.name,
    dag.name,
    'scheduled__' || to_char(now() - (number / (%(calls)s / 90)) * INTERVAL '1 day', 'YYYY-MM-DD')
    || 'T02:00:00+00:00',
    1 + (number %% 300 = 0)::integer,
    CASE dag.name WHEN 'activities' THEN number %% 4 ELSE -1 END,
    CASE WHEN number %% 40 = 9 THEN 'PUT' WHEN number %% 5000 = 1 THEN 'DELETE' ELSE 'GET' END,
    CASE dag.name
        WHEN 'opt_outs' THEN '/v3/contacts/' || md5((number %% 50000)::text)::uuid
        WHEN 'contacts' THEN '/v3/contacts?limit=500&status=all&cursor=' || md5(number::text)
        WHEN 'lists' THEN '/v3/contact_lists?limit=1000&include_count=true'
        ELSE '/v3/reports/email_reports/' || md5((number %% 500)::text)::uuid
        || '/tracking/sends?limit=500&next=' || md5(number::text)
    END,
    failure.status,
    failure.error_key,
    failure.error_message,
    CASE WHEN failure.error_message IS NULL THEN 500 END,
    60000,
    180 + number %% 400,
    number %% 250,
    md5('request' || number)::uuid::text,
    md5('tracking' || number),
    CASE WHEN failure.status IS NOT NULL AND failure.error_message IS NOT NULL
        THEN '[{"error_key": "' || failure.error_key || '", "error_message": "see above"}]' END
FROM (SELECT number::bigint FROM generate_series(1, %(calls)s) AS number) AS call
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN number %% 10000 = 5 THEN 'lists'
        WHEN number %% 20 = 9 THEN 'opt_outs'
        WHEN number %% 7 = 3 THEN 'contacts'
        ELSE 'activities'
    END AS name
) AS dag
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN number = 777 THEN 409
            WHEN number %% 1000 = 500 THEN NULL
            WHEN number %% 60 = 9 THEN 429
            WHEN number %% 700 = 1 THEN 503
            ELSE 200
        END AS status,
        CASE
            WHEN number = 777 THEN 'contacts.api.conflict'
            WHEN number %% 60 = 9 AND number %% 1000 <> 500 THEN 'throttled'
        END AS error_key,
        CASE
            WHEN number = 777 OR number %% 1000 = 500 OR number %% 60 = 9 OR number %% 700 = 1
                THEN 'what the vendor said about it'
        END AS error_message
) AS failure;
