-- What write_back.sql reads; one a connection, empty at commit. Grain: one row a CRM contact.
CREATE TEMPORARY TABLE IF NOT EXISTS changed_link (
    contact_id text,
    constant_contact_id text
) ON COMMIT DELETE ROWS;
