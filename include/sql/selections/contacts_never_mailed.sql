-- CRM contacts with an address that were never sent a campaign, and may be.
-- Grain: one row a contact; a selection has one column, contact_id, and no parameters.
SELECT crm.contact_id
FROM ctct_link AS crm
WHERE
    crm.email_address IS NOT NULL
    AND NOT coalesce(crm.do_not_email, FALSE)
    AND NOT EXISTS (
        SELECT FROM crm_interaction AS interaction
        WHERE interaction.contact_id = crm.contact_id AND interaction.activity_type = 'send'
    )
ORDER BY crm.contact_id;
