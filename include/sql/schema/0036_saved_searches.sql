-- A search of the wizard for memberships that is kept under a name.
CREATE TABLE ctct_saved_search (
    search_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    list_id text NOT NULL,
    action text NOT NULL CHECK (action IN ('add', 'remove')),
    criteria jsonb NOT NULL,
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE ctct_saved_search IS
'Searches of the wizard for memberships that are kept under a name, until a person deletes them.';
COMMENT ON COLUMN ctct_saved_search.list_id IS
'→ ctct_list.list_id.';
COMMENT ON COLUMN ctct_saved_search.criteria IS
'Which contacts to find, as of ctct_choice; no address and no contact''s id.';
