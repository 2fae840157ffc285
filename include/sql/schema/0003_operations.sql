-- What the integration keeps of its own work.

-- One row per API key: who may call next, and what is left of the day.
CREATE TABLE ctct_api_budget (
    -- A digest of the API key: the row is found by it, the key is not in the database.
    api_key_digest text PRIMARY KEY,
    day_utc date NOT NULL,
    calls integer NOT NULL,
    next_call_at timestamptz NOT NULL,
    spacing_s double precision NOT NULL,
    -- How long the last calls took until their answer began: their span bounds the jitter.
    samples integer NOT NULL,
    fastest_s real,
    slowest_s real,
    -- Set when the vendor says that the day is spent, whatever was counted here.
    spent_day_utc date
);

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
    reply_body text
);

CREATE INDEX ctct_api_call_time ON ctct_api_call (called_at DESC);
CREATE INDEX ctct_api_call_run ON ctct_api_call (dag_id, run_id, task_id);

-- The row that serializes refreshes of one connection's tokens. The tokens are in Airflow.
CREATE TABLE ctct_token (
    conn_id text PRIMARY KEY,
    refreshed_at timestamptz,
    refresh_count integer NOT NULL DEFAULT 0
);

-- How far each reading of the API has come.
CREATE TABLE ctct_sync_state (
    noun text PRIMARY KEY,
    -- Everything the vendor changed before this is in the mirror.
    covered_to timestamptz,
    full_pass_at timestamptz,
    -- In mid-read: which pass, since when, what it asks for and the page to go on with.
    reading text CHECK (reading IN ('full', 'changed')),
    reading_since timestamptz,
    reading_from timestamptz,
    cursor text,
    rows_read bigint NOT NULL DEFAULT 0,
    newest timestamptz,
    -- The last `ctct_engagement.event_id` that is projected (noun `interactions`).
    position bigint NOT NULL DEFAULT 0
);
