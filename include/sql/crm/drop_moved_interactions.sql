-- Take away the interactions of CRM contacts that are linked to another of the vendor's contacts
-- by now (or that are gone). A link that was only cleared keeps its history: it did happen. The
-- links first: where none has moved, no interaction is looked at, whatever the planner knows.
-- Grain: one row an interaction.
WITH moved AS MATERIALIZED (
    SELECT projected.crm_contact_id
    FROM ctct_projected_link AS projected
    LEFT JOIN crm_contact AS crm ON projected.crm_contact_id = crm.contact_id
    WHERE crm.contact_id IS NULL OR crm.constant_contact_id <> projected.constant_contact_id
)

DELETE FROM crm_interaction AS interaction
USING moved
WHERE interaction.contact_id = moved.crm_contact_id;
