-- How often the two sides disagree about whether a linked contact may be mailed.
-- Grain: one row: by who alone says no, and ten contacts of those whom only the vendor keeps from
-- being mailed (the others are in the outbox).
WITH difference AS MATERIALIZED (
    SELECT
        contact_id,
        do_not_email
    FROM crm_consent_difference
)

SELECT
    count(*) FILTER (WHERE do_not_email) AS only_crm_says_no,
    count(*) FILTER (WHERE NOT do_not_email) AS only_vendor_says_no,
    array(
        SELECT shown.contact_id
        FROM difference AS shown
        WHERE NOT shown.do_not_email
        ORDER BY shown.contact_id ASC
        LIMIT 10
    ) AS sample
FROM difference;
