-- What the pages about people need: indexes for their lists, and contacts that a person chose.

-- The pages list rows by status, the newest first.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_opt_out_change'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_opt_out_change_status
        ON crm_opt_out_change (status, change_id);
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_list_membership'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_list_membership_newest
        ON crm_list_membership (requested_at, contact_id, list_id);
        CREATE INDEX IF NOT EXISTS crm_list_membership_status
        ON crm_list_membership (status, requested_at, contact_id, list_id);
    END IF;
END
$$;

-- CRM contacts that a person chose on a page to be put on a list or taken off it. What is requested
-- is what was shown, and neither addresses nor 100,000 ids go through Airflow.
CREATE TABLE ctct_choice (
    choice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list_id text NOT NULL,
    action text NOT NULL CHECK (action IN ('add', 'remove')),
    -- What was looked for, to be changed and looked for again; it may hold an address.
    criteria jsonb NOT NULL,
    -- Ids that were asked for and that the CRM does not have.
    unknown integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by text NOT NULL,
    -- Grows with each change of `is_left_out`: what was shown is told from it.
    edits integer NOT NULL DEFAULT 0,
    -- What was foretold of it as it is, and what was found and written when it was requested.
    foretold jsonb,
    foretold_at timestamptz,
    -- A person wants it carried; from now on nothing of it changes.
    submitted_at timestamptz,
    submitted_by text,
    requested_at timestamptz,
    report jsonb
);

-- No foreign key: it would be asked 100,000 times while somebody waits.
CREATE TABLE ctct_choice_contact (
    choice_id bigint NOT NULL,
    contact_id text NOT NULL,
    is_left_out boolean NOT NULL DEFAULT FALSE,
    PRIMARY KEY (choice_id, contact_id)
);
