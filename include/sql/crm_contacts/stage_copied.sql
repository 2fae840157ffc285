-- Where contacts stand that were copied from another database; one a connection, empty at commit.
-- Grain: one row of contacts.sql, with its columns.
CREATE TEMPORARY TABLE IF NOT EXISTS copied_contact (
    contact_id text,
    email_address text,
    do_not_email boolean,
    first_name text,
    last_name text,
    requested_by_contact boolean,
    opt_out_reason text,
    merged_into text,
    constant_contact_id text
) ON COMMIT DELETE ROWS;
