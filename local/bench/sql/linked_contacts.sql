-- A CRM contact for each living contact of the mirror, linked.
INSERT INTO crm_contact (contact_id, preferred_email, constant_contact_id)
SELECT
    'C' || row_number() OVER (ORDER BY contact_id),
    email_address,
    contact_id
FROM ctct_contact
WHERE deleted_at IS NULL;
