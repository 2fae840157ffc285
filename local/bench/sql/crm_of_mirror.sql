-- The CRM of a firm whose contacts are in the mirror: nine of ten are known to the vendor, one in
-- fifty shares a household's address, one in twenty has none; capitals and spaces differ. Nobody
-- is linked yet.
INSERT INTO crm_contact (contact_id, first_name, last_name, preferred_email)
SELECT
    'C' || person.number,
    'First' || person.number %% 1000,
    'Last' || person.number %% 5000,
    CASE
        WHEN person.number %% 20 = 7 THEN NULL
        WHEN person.number %% 10 = 9 THEN 'stranger.' || person.number || '@example.org'
        WHEN person.number %% 50 = 4 THEN person.earlier_address
        ELSE ' ' || initcap(person.email_address)
    END
FROM (
    SELECT
        email_address,
        row_number() OVER in_order AS number,
        lag(email_address) OVER in_order AS earlier_address
    FROM ctct_contact
    WHERE deleted_at IS NULL
    WINDOW in_order AS (ORDER BY contact_id)
) AS person;
