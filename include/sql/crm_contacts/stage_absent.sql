-- Contacts that were seen before and were not read now; one a connection, empty at commit.
-- Grain: one row a contact.
CREATE TEMPORARY TABLE IF NOT EXISTS absent_contact (contact_id text) ON COMMIT DELETE ROWS;
