-- CRM contacts with an address, whatever its case. Parameters: email, most.
-- Grain: one row a contact.
SELECT
    contact_id,
    first_name,
    last_name
FROM crm_contact
WHERE ctct_email_key(preferred_email) = ctct_email_key(%(email)s)
ORDER BY contact_id
LIMIT %(most)s;
