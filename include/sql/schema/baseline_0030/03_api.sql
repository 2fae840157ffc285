-- The budget of API calls, and the log of them.

CREATE TABLE ctct_api_budget (
    api_key_digest text PRIMARY KEY,
    day_utc date NOT NULL,
    calls integer NOT NULL,
    next_call_at timestamptz NOT NULL,
    spacing_s double precision NOT NULL,
    samples integer NOT NULL,
    fastest_s real,
    slowest_s real,
    spent_day_utc date,
    spent_calls_per_day integer
);

COMMENT ON TABLE ctct_api_budget IS
'One row an API key: who may call next, and what is left of the day.';
COMMENT ON COLUMN ctct_api_budget.api_key_digest IS
'A digest; the key itself is not in the database.';
COMMENT ON COLUMN ctct_api_budget.day_utc IS
'The day that calls counts.';
COMMENT ON COLUMN ctct_api_budget.next_call_at IS
'The first turn that is free.';
COMMENT ON COLUMN ctct_api_budget.spacing_s IS
'Between two turns; the fastest and the slowest answers decide how much.';
COMMENT ON COLUMN ctct_api_budget.spent_day_utc IS
'The day that the vendor called spent, whatever was counted here.';
COMMENT ON COLUMN ctct_api_budget.spent_calls_per_day IS
'The setting calls_per_day as it was then; who raises it says that the vendor allows more.';

CREATE TABLE ctct_api_call (
    call_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    called_at timestamptz NOT NULL,
    dag_id text,
    task_id text,
    run_id text,
    try_number integer,
    method text NOT NULL,
    path text NOT NULL,
    status integer,
    error_key text,
    error_message text,
    items integer,
    reply_bytes integer,
    duration_ms integer NOT NULL,
    waited_ms integer NOT NULL DEFAULT 0,
    request_id text,
    tracking_id text,
    reply_body text,
    map_index integer
);

COMMENT ON TABLE ctct_api_call IS
'One row for each API call; kept for call_log_days. No secret, no address.';
COMMENT ON COLUMN ctct_api_call.status IS
'Of the answer; null: none came.';
COMMENT ON COLUMN ctct_api_call.items IS
'Rows of the answer''s first list; null: it has none.';
COMMENT ON COLUMN ctct_api_call.waited_ms IS
'For the call''s turn, before it was made.';
COMMENT ON COLUMN ctct_api_call.request_id IS
'The vendor''s; its support asks for it, and for tracking_id.';
COMMENT ON COLUMN ctct_api_call.reply_body IS
'Of an error only: redacted, cut.';

CREATE INDEX ctct_api_call_dag ON ctct_api_call (dag_id, called_at DESC);
CREATE INDEX ctct_api_call_error_key ON ctct_api_call (error_key, called_at DESC)
WHERE error_key IS NOT NULL;
CREATE INDEX ctct_api_call_failed ON ctct_api_call (called_at DESC)
WHERE error_message IS NOT NULL;
CREATE INDEX ctct_api_call_method ON ctct_api_call (method, called_at DESC)
WHERE method <> 'GET';

-- What a path begins with; its query, with the cursor of a page, is hardly ever the same twice.
CREATE INDEX ctct_api_call_path ON ctct_api_call (split_part(path, '?', 1) text_pattern_ops);
CREATE INDEX ctct_api_call_request ON ctct_api_call USING hash (request_id);

-- A run has thousands of calls, not a million: they are sorted, and the index is a tenth as large.
CREATE INDEX ctct_api_call_run ON ctct_api_call (run_id);

-- 0: no answer.
CREATE INDEX ctct_api_call_status ON ctct_api_call ((coalesce(status, 0)), called_at DESC)
WHERE coalesce(status, 0) <> 200;
CREATE INDEX ctct_api_call_task ON ctct_api_call (task_id, called_at DESC);
CREATE INDEX ctct_api_call_time ON ctct_api_call (called_at DESC);

-- Calls to the token endpoint have a whole URL as their path, and are few.
CREATE INDEX ctct_api_call_token ON ctct_api_call (called_at DESC) WHERE path LIKE 'http%';

-- Seconds between two calls. The vendor counts in a sliding second, and calls reach it earlier or
-- later than they were sent: rate + 1 calls stay further apart than a second and the jitter. Until
-- twenty calls have told how much the network varies, a tenth of a second is assumed; that is also
-- the most, since slow answers look like jitter and are not. The span that was seen is widened: the
-- next call may be faster or slower than any before.
CREATE FUNCTION ctct_call_spacing_s(
    calls_per_second double precision, samples integer, fastest_s real, slowest_s real
) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    1 + CASE
        WHEN samples < 20 OR fastest_s IS NULL THEN 0.1
        ELSE least(0.1, greatest(0.03, 1.3 * (slowest_s - fastest_s)))
    END
) / calls_per_second;
