-- CRM contacts with an address, whatever its case. Parameters: email, most.
-- Grain: one row a contact.
SELECT
    contact_id,
    first_name,
    last_name
FROM ctct_link
WHERE email_key = ctct_email_key(%(email)s)
ORDER BY contact_id
LIMIT %(most)s;
