-- The call log is searched by people, newest first, among a million rows: each filter of the page
-- has an index in the order of time, so that a rare value is found without reading what is between.
-- What nearly all calls have in common (GET, 200, no error) is in none of them.

-- Of a mapped task's instance; -1: not mapped; null: logged before it was kept.
ALTER TABLE ctct_api_call ADD COLUMN map_index integer;

DROP INDEX ctct_api_call_run;
-- A run has thousands of calls, not a million: they are sorted, and the index is a tenth as large.
CREATE INDEX ctct_api_call_run ON ctct_api_call (run_id);
CREATE INDEX ctct_api_call_dag ON ctct_api_call (dag_id, called_at DESC);
CREATE INDEX ctct_api_call_task ON ctct_api_call (task_id, called_at DESC);

CREATE INDEX ctct_api_call_failed ON ctct_api_call (called_at DESC)
WHERE error_message IS NOT NULL;

CREATE INDEX ctct_api_call_error_key ON ctct_api_call (error_key, called_at DESC)
WHERE error_key IS NOT NULL;

-- 0: no answer.
CREATE INDEX ctct_api_call_status ON ctct_api_call ((coalesce(status, 0)), called_at DESC)
WHERE coalesce(status, 0) <> 200;

CREATE INDEX ctct_api_call_method ON ctct_api_call (method, called_at DESC)
WHERE method <> 'GET';

-- What a path begins with; its query, with the cursor of a page, is hardly ever the same twice.
CREATE INDEX ctct_api_call_path ON ctct_api_call (split_part(path, '?', 1) text_pattern_ops);

CREATE INDEX ctct_api_call_request ON ctct_api_call USING hash (request_id);

-- How rare an expression's values are is only known of what was counted.
ANALYZE ctct_api_call;
