-- The lists of the account.

CREATE TABLE ctct_list (
    list_id text PRIMARY KEY,
    name text,
    description text,
    favorite boolean,
    membership_count integer,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    mirrored_at timestamptz NOT NULL
);

COMMENT ON TABLE ctct_list IS
'The account''s lists, as the vendor has them.';
COMMENT ON COLUMN ctct_list.deleted_at IS
'When it was first missing at the vendor; null: it is there.';
COMMENT ON COLUMN ctct_list.mirrored_at IS
'When the vendor last showed it.';

-- What the CRM shows in its list dropdown.
CREATE VIEW crm_list AS
SELECT
    list_id,
    name,
    membership_count,
    updated_at
FROM ctct_list
WHERE deleted_at IS NULL;
COMMENT ON VIEW crm_list IS
'What the CRM shows in its list dropdown: the lists that are there.';
