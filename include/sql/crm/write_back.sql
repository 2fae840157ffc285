-- Writes the Constant Contact id into the CRM's own column, after the links are committed. What
-- changed is in changed_link(contact_id text, constant_contact_id text). Grain: one row a contact.
UPDATE crm_contact AS crm
SET constant_contact_id = changed.constant_contact_id
FROM changed_link AS changed
WHERE
    crm.contact_id = changed.contact_id
    AND crm.constant_contact_id IS DISTINCT FROM changed.constant_contact_id;
