-- One CRM contact as a person asks for it. Parameters: contact_id. Grain: one row.
SELECT
    contact_id,
    first_name,
    last_name,
    email_address AS preferred_email,
    email_key,
    constant_contact_id,
    coalesce(do_not_email, FALSE) AS do_not_email
FROM ctct_link
WHERE contact_id = %(contact_id)s;
