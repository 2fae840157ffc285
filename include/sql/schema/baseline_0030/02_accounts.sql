-- Whose tables these are, and how far each job has come.

COMMENT ON TABLE ctct_schema_version IS
'The files of include/sql/schema that were applied.';

CREATE TABLE ctct_account (
    is_the_only_one boolean PRIMARY KEY DEFAULT TRUE
    CHECK (is_the_only_one),
    constant_contact_conn_id text NOT NULL
);

CREATE TABLE ctct_token (
    conn_id text PRIMARY KEY,
    refreshed_at timestamptz,
    refresh_count integer NOT NULL DEFAULT 0
);

COMMENT ON TABLE ctct_token IS
'The row that refreshes of a connection''s tokens queue for. The tokens are in Airflow.';

CREATE TABLE ctct_sync_state (
    noun text PRIMARY KEY,
    covered_to timestamptz,
    full_pass_at timestamptz,
    reading text
    CHECK (reading IN ('full', 'changed')),
    reading_since timestamptz,
    reading_from timestamptz,
    cursor text,
    rows_read bigint NOT NULL DEFAULT 0,
    newest timestamptz,
    position bigint NOT NULL DEFAULT 0,
    first_total integer,
    most_total integer
);

COMMENT ON TABLE ctct_sync_state IS
'How far each reading of the API has come.';
COMMENT ON COLUMN ctct_sync_state.noun IS
'What is read; interactions: what is projected.';
COMMENT ON COLUMN ctct_sync_state.covered_to IS
'What the vendor changed before this is in the mirror.';
COMMENT ON COLUMN ctct_sync_state.full_pass_at IS
'When all of it was last read.';
COMMENT ON COLUMN ctct_sync_state.reading IS
'In mid-read: full or changed; the next run goes on at cursor.';
COMMENT ON COLUMN ctct_sync_state.position IS
'→ ctct_engagement.event_id. The last that is projected.';
COMMENT ON COLUMN ctct_sync_state.first_total IS
'How many the vendor counted on the first page of the reading.';
COMMENT ON COLUMN ctct_sync_state.most_total IS
'The most that it counted on a page of the reading.';

CREATE TABLE ctct_set_aside (
    noun text NOT NULL
    CHECK (noun IN ('contact', 'campaign', 'summary', 'activity', 'list', 'event')),
    row_id text NOT NULL,
    reason text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (noun, row_id)
);

COMMENT ON TABLE ctct_set_aside IS
'Rows of the vendor''s that met an unexpected error; a row goes when it goes through.';
COMMENT ON COLUMN ctct_set_aside.noun IS
'Of an activity its counts, of a summary the campaign''s, of an event its interactions.';
COMMENT ON COLUMN ctct_set_aside.row_id IS
'Its id; of a long one the first 200 characters.';
COMMENT ON COLUMN ctct_set_aside.reason IS
'What was unexpected, and what to do if it stays so.';
COMMENT ON COLUMN ctct_set_aside.found_at IS
'When it was set aside.';
COMMENT ON COLUMN ctct_set_aside.tried_at IS
'When it was tried for the last time.';

CREATE TABLE ctct_write_block (
    is_the_one boolean PRIMARY KEY DEFAULT TRUE
    CHECK (is_the_one),
    said text NOT NULL,
    since timestamptz NOT NULL,
    next_at timestamptz NOT NULL
);

COMMENT ON TABLE ctct_write_block IS
'That opt-outs are all refused on the way to the vendor; the row goes with the first that passes.';
COMMENT ON COLUMN ctct_write_block.said IS
'What answered in the vendor''s place, to which call.';
COMMENT ON COLUMN ctct_write_block.next_at IS
'When the run that found it goes on, with one.';

CREATE TABLE ctct_restore (
    settled_at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    settled_by text NOT NULL
);

COMMENT ON TABLE ctct_restore IS
'Restores of the CRM: failed requests of before to put somebody on a list are retried one by one.';

-- Advisory locks are the whole database's: this, added to a lock's number, makes it an account's
-- own. 0 in public, where an only account is.
CREATE FUNCTION ctct_account_key() RETURNS integer
LANGUAGE sql STABLE
RETURN coalesce(hashtext(nullif(current_schema(), 'public')) % 1000000000, 0);
