-- Take away the interactions of CRM contacts that are linked to another of the vendor's contacts
-- by now (or that are gone). A link that was only cleared keeps its history: it did happen.
-- Grain: one row an interaction.
DELETE FROM crm_interaction AS interaction
USING ctct_projected_link AS projected
LEFT JOIN crm_contact AS crm ON projected.crm_contact_id = crm.contact_id
WHERE
    interaction.contact_id = projected.crm_contact_id
    AND (crm.contact_id IS NULL OR crm.constant_contact_id <> projected.constant_contact_id);
