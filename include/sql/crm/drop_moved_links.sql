-- Forget the projected links that are no longer the CRM's. Grain: one row a CRM contact.
DELETE FROM ctct_projected_link AS projected
WHERE NOT EXISTS (
    SELECT FROM crm_contact AS crm
    WHERE
        crm.contact_id = projected.crm_contact_id
        AND crm.constant_contact_id = projected.constant_contact_id
);
