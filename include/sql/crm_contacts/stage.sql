-- Contacts of the CRM that differ from what was seen of them; one a connection, empty at commit.
-- Grain: one row a contact, with the columns of contacts.sql.
CREATE TEMPORARY TABLE IF NOT EXISTS read_contact (
    contact_id text,
    email_address text,
    do_not_email boolean,
    first_name text,
    last_name text,
    requested_by_contact boolean,
    opt_out_reason text,
    merged_into text,
    constant_contact_id text,
    is_known boolean,
    is_absent boolean,
    erased_digest text
) ON COMMIT DELETE ROWS;
