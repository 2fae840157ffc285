-- One CRM contact as a person asks for it. Parameters: contact_id. Grain: one row.
SELECT
    contact_id,
    first_name,
    last_name,
    preferred_email,
    constant_contact_id,
    ctct_email_key(preferred_email) AS email_key,
    coalesce(do_not_email, FALSE) AS do_not_email
FROM crm_contact
WHERE contact_id = %(contact_id)s;
