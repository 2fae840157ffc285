-- Remember the CRM contacts that were linked since the last projection, and keep in link_change
-- which; links that moved are forgotten before. EXCEPT, since a join with the table that this fills
-- can go badly. Grain: one row a CRM contact.
WITH linked AS (
    INSERT INTO ctct_projected_link (crm_contact_id, constant_contact_id)
    SELECT
        contact_id,
        constant_contact_id
    FROM crm_contact
    WHERE constant_contact_id IS NOT NULL
    EXCEPT
    SELECT
        crm_contact_id,
        constant_contact_id
    FROM ctct_projected_link
    RETURNING crm_contact_id, constant_contact_id
)

INSERT INTO link_change (crm_contact_id, constant_contact_id, is_new)
SELECT
    crm_contact_id,
    constant_contact_id,
    TRUE
FROM linked;
