-- Rows of the vendor's that could not be stored for an unexpected error, each with its reason: the
-- others go on without them.
CREATE TABLE ctct_set_aside (
    noun text NOT NULL CHECK (
        noun IN ('contact', 'campaign', 'summary', 'activity', 'list', 'event')
    ),
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
COMMENT ON COLUMN ctct_set_aside.row_id IS 'Its id; of a long one the first 200 characters.';
COMMENT ON COLUMN ctct_set_aside.reason IS 'What was unexpected, and what to do if it stays so.';
COMMENT ON COLUMN ctct_set_aside.found_at IS 'When it was set aside.';
COMMENT ON COLUMN ctct_set_aside.tried_at IS 'When it was tried for the last time.';

ALTER TABLE ctct_engagement_stream ADD COLUMN is_unexpected boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN ctct_engagement_stream.is_unexpected IS
'Whether `failure` is an unexpected error of ours, no answer of the vendor''s.';

-- Where a firewall or proxy before the vendor's API refuses the PUT of every opt-out.
CREATE TABLE ctct_write_block (
    is_the_one boolean PRIMARY KEY DEFAULT TRUE CHECK (is_the_one),
    said text NOT NULL,
    since timestamptz NOT NULL,
    next_at timestamptz NOT NULL
);
COMMENT ON TABLE ctct_write_block IS
'That opt-outs are all refused on the way to the vendor; the row goes with the first that passes.';
COMMENT ON COLUMN ctct_write_block.said IS 'What answered in the vendor''s place, to which call.';
COMMENT ON COLUMN ctct_write_block.next_at IS 'When the run that found it goes on, with one.';

-- Contacts that are purged while a reading is interrupted: its pages' counts tell.
ALTER TABLE ctct_sync_state
ADD COLUMN first_total integer,
ADD COLUMN most_total integer;
COMMENT ON COLUMN ctct_sync_state.first_total IS
'How many the vendor counted on the first page of the reading.';
COMMENT ON COLUMN ctct_sync_state.most_total IS
'The most that it counted on a page of the reading.';

-- Whether it was the vendor that refused a request, which may pass: no text tells.
ALTER TABLE crm_list_membership ADD COLUMN IF NOT EXISTS refused_at timestamptz;
COMMENT ON COLUMN crm_list_membership.refused_at IS
'When Constant Contact refused it; if nothing was decided since, it is tried again by itself.';
UPDATE crm_list_membership
SET refused_at = processed_at
WHERE status = 'rejected' AND detail LIKE 'Constant Contact refused %';
