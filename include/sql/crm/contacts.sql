-- The CRM's contacts. Columns: contact_id (unique), preferred_email, do_not_email, first_name,
-- last_name, and where the CRM knows them: requested_by_contact (the contact asked not to be
-- mailed), opt_out_reason, merged_into (the contact_id that this one was merged into),
-- constant_contact_id (links from before). docs/your-crm.md has examples for other tables.
-- Grain: one row a contact.
SELECT
    contact_id,
    preferred_email,
    do_not_email,
    first_name,
    last_name,
    constant_contact_id
FROM crm_contact;
