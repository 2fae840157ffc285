-- Where links stand before they are changed; one a connection, empty at commit.
-- Grain: one row a CRM contact.
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_link (
    contact_id text,
    old_id text,
    new_id text
) ON COMMIT DELETE ROWS;
