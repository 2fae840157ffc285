-- Forget the projected links that moved to another of the vendor's contacts, and those of people
-- who left the CRM; keep in link_change which. One that was only cleared stays beside its history:
-- when the person leaves or is linked anew, both go. Grain: one row a CRM contact.
WITH moved AS (
    DELETE FROM ctct_projected_link AS projected
    WHERE
        NOT EXISTS (
            SELECT FROM crm_contact AS crm
            WHERE
                crm.contact_id = projected.crm_contact_id
                AND coalesce(crm.constant_contact_id, projected.constant_contact_id)
                = projected.constant_contact_id
        )
    RETURNING projected.crm_contact_id, projected.constant_contact_id
)

INSERT INTO link_change (crm_contact_id, constant_contact_id, is_new)
SELECT
    crm_contact_id,
    constant_contact_id,
    FALSE
FROM moved;
