-- How the CRM's contacts stand. Grain: one row.
-- `shared_addresses` counts addresses, `sharing` the contacts that have one of those.
WITH address AS (
    SELECT
        email_key,
        email_key ~ '^[^@\s]+@[^@\s]+$' AS is_address,
        count(*) AS contacts,
        count(constant_contact_id) AS linked
    FROM ctct_link
    GROUP BY email_key
),

counted AS (
    SELECT
        sum(contacts) AS contacts,
        sum(linked) AS with_link,
        sum(contacts) FILTER (WHERE email_key IS NULL) AS without_email,
        sum(contacts) FILTER (WHERE NOT is_address) AS malformed_email,
        sum(contacts - linked) FILTER (WHERE is_address) AS unmatched,
        count(*) FILTER (WHERE is_address AND contacts > 1) AS shared_addresses,
        sum(contacts) FILTER (WHERE is_address AND contacts > 1) AS sharing
    FROM address
)

SELECT
    shared_addresses,
    coalesce(contacts, 0)::bigint AS contacts,
    coalesce(with_link, 0)::bigint AS with_link,
    coalesce(without_email, 0)::bigint AS without_email,
    coalesce(malformed_email, 0)::bigint AS malformed_email,
    coalesce(unmatched, 0)::bigint AS unmatched,
    coalesce(sharing, 0)::bigint AS sharing
FROM counted;
