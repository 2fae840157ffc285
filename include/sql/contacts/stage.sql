-- Where a page of contacts is copied before it is merged; one a connection, empty at commit.
-- Grain: one row of ContactRecord, columns in its order.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_contact (
    contact_id text,
    email_address text,
    permission_to_send text,
    opt_out_source text,
    opt_out_date timestamptz,
    opt_in_source text,
    opt_in_date timestamptz,
    opt_out_reason text,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    list_ids text[]
) ON COMMIT DELETE ROWS;
