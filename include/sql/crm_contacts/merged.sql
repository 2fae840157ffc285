-- The contacts of the CRM, each id once: a no if either of its rows says no. It follows a CTE,
-- seam_contact: contacts.sql with our names. Grain: one row an id.
SELECT
    contact_id,
    min(email_address) AS email_address,
    bool_or(do_not_email) AS do_not_email,
    min(first_name) AS first_name,
    min(last_name) AS last_name,
    bool_or(requested_by_contact) AS requested_by_contact,
    min(opt_out_reason) AS opt_out_reason,
    min(merged_into) AS merged_into,
    min(constant_contact_id) AS constant_contact_id
FROM seam_contact
GROUP BY contact_id;
