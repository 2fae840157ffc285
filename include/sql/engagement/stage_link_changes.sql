-- Which links the projection takes away and adds; one a connection, empty at commit.
-- Grain: one row a CRM contact and direction.
CREATE TEMPORARY TABLE IF NOT EXISTS link_change (
    crm_contact_id text,
    constant_contact_id text,
    is_new boolean
) ON COMMIT DELETE ROWS;
