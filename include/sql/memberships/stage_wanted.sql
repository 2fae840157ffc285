-- Where requests stand before they are routed; one a connection, empty at commit.
-- Grain: one row a request.
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_membership (
    contact_id text,
    list_id text,
    action text,
    requested_at timestamptz
) ON COMMIT DELETE ROWS;
