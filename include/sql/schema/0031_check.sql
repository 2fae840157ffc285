-- What a check found, kept to be compared with the next one and to be sent.

CREATE TABLE ctct_check (
    check_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    duration_ms integer NOT NULL,
    package_version text NOT NULL
);
COMMENT ON TABLE ctct_check IS
'Checks of what the jobs rely on, in the CRM and at Constant Contact: one row a check.';
COMMENT ON COLUMN ctct_check.check_id IS 'Its number: a later check has a higher one.';
COMMENT ON COLUMN ctct_check.checked_at IS 'When it ended.';
COMMENT ON COLUMN ctct_check.duration_ms IS 'How long it took.';
COMMENT ON COLUMN ctct_check.package_version IS 'The version of this package that made it.';

CREATE TABLE ctct_check_line (
    check_id bigint NOT NULL REFERENCES ctct_check ON DELETE CASCADE,
    position integer NOT NULL,
    name text NOT NULL,
    side text NOT NULL CHECK (side IN ('crm', 'reads', 'writes')),
    result text NOT NULL CHECK (result IN ('ok', 'differs', 'refused', 'not tried')),
    result_before text,
    seen text NOT NULL,
    remedy text,
    exported_remedy text,
    PRIMARY KEY (check_id, name)
);
COMMENT ON TABLE ctct_check_line IS
'What a check saw of each assumption of the jobs; docs/reference/assumptions.md says what each is.';
COMMENT ON COLUMN ctct_check_line.check_id IS '→ ctct_check.check_id.';
COMMENT ON COLUMN ctct_check_line.position IS 'Its place in the check.';
COMMENT ON COLUMN ctct_check_line.name IS 'The assumption.';
COMMENT ON COLUMN ctct_check_line.side IS
'crm: reads of this database; reads, writes: calls to Constant Contact.';
COMMENT ON COLUMN ctct_check_line.result IS
'Whether it holds; refused: what was asked was not allowed, or failed.';
COMMENT ON COLUMN ctct_check_line.result_before IS
'The result of the last check that tried it, if that was another one.';
COMMENT ON COLUMN ctct_check_line.seen IS
'What was seen, without addresses, secrets or names.';
COMMENT ON COLUMN ctct_check_line.remedy IS
'What to do here, with the statement to run; may name roles and tables.';
COMMENT ON COLUMN ctct_check_line.exported_remedy IS
'The same without those names, as a file to be sent has it.';
