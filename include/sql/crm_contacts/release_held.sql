-- A person agrees that these contacts have left the CRM; but not those that were seen again.
-- Parameters: hold_id. Grain: one row a contact.
WITH gone AS (
    DELETE FROM ctct_link
    WHERE absence_hold_id = %(hold_id)s::bigint
    RETURNING contact_id, constant_contact_id, projected_id
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
