-- What flag_back.sql reads; one a connection, empty at commit. Grain: one row a CRM contact.
CREATE TEMPORARY TABLE IF NOT EXISTS changed_flag (contact_id text) ON COMMIT DELETE ROWS;
