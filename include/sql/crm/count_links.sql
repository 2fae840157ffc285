-- How the CRM's contacts stand. Grain: one row.
-- `shared_addresses` counts addresses, `sharing` the contacts that have one of those.
WITH contact AS (
    SELECT
        constant_contact_id,
        ctct_email_key(preferred_email) AS email_key
    FROM crm_contact
),

address AS (
    SELECT count(*) AS contacts
    FROM contact
    WHERE email_key ~ '^[^@\s]+@[^@\s]+$'
    GROUP BY email_key
    HAVING count(*) > 1
)

SELECT
    count(*) AS contacts,
    count(constant_contact_id) AS with_link,
    count(*) FILTER (WHERE email_key IS NULL) AS without_email,
    count(*) FILTER (WHERE email_key !~ '^[^@\s]+@[^@\s]+$') AS malformed_email,
    count(*) FILTER (
        WHERE constant_contact_id IS NULL AND email_key ~ '^[^@\s]+@[^@\s]+$'
    ) AS unmatched,
    (SELECT count(*) FROM address) AS shared_addresses,
    (SELECT coalesce(sum(contacts), 0)::bigint FROM address) AS sharing
FROM contact;
