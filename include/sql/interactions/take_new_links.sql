-- Remember the CRM contacts that were linked since the last projection, and keep in link_change
-- which; links that moved are forgotten before. Grain: one row a CRM contact.
WITH linked AS (
    UPDATE ctct_link
    SET projected_id = constant_contact_id
    WHERE constant_contact_id IS NOT NULL AND projected_id IS NULL
    RETURNING contact_id, constant_contact_id
)

INSERT INTO link_change (crm_contact_id, constant_contact_id, is_new)
SELECT
    contact_id,
    constant_contact_id,
    TRUE
FROM linked;
