-- When the CRM was restored from a backup: wishes of before may have been met and taken back since.
CREATE TABLE ctct_restore (
    settled_at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    settled_by text NOT NULL
);
COMMENT ON TABLE ctct_restore IS
'Restores of the CRM: failed requests of before to put somebody on a list are retried one by one.';
