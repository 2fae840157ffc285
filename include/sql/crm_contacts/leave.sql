-- The absent contacts have left the CRM. Grain: one row a contact.
WITH gone AS (
    DELETE FROM ctct_link AS link
    USING absent_contact AS absent
    WHERE link.contact_id = absent.contact_id
    RETURNING
        link.contact_id,
        link.constant_contact_id,
        link.projected_id,
        link.do_not_email
)

INSERT INTO ctct_left_contact AS known (
    contact_id, constant_contact_id, projected_id, do_not_email
)
SELECT
    contact_id,
    constant_contact_id,
    projected_id,
    do_not_email
FROM gone
ON CONFLICT (contact_id) DO UPDATE SET
    constant_contact_id = excluded.constant_contact_id,
    projected_id = excluded.projected_id,
    do_not_email = excluded.do_not_email,
    left_at = clock_timestamp();
