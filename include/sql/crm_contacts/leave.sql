-- The absent contacts have left the CRM. Grain: one row a contact.
WITH gone AS (
    DELETE FROM ctct_link AS link
    USING absent_contact AS absent
    WHERE link.contact_id = absent.contact_id
    RETURNING link.contact_id, link.constant_contact_id, link.projected_id
)

INSERT INTO ctct_left_contact AS known (contact_id, constant_contact_id, projected_id)
SELECT
    contact_id,
    constant_contact_id,
    projected_id
FROM gone
ON CONFLICT (contact_id) DO UPDATE SET
    constant_contact_id = excluded.constant_contact_id,
    projected_id = excluded.projected_id,
    left_at = clock_timestamp();
