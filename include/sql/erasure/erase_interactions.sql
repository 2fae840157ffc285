-- Take an erased person's interactions from the CRM. Parameters: contact_ids,
-- constant_contact_ids. Grain: one row an interaction.
DELETE FROM crm_interaction
WHERE
    contact_id = any(%(contact_ids)s::text[])
    AND constant_contact_id = any(%(constant_contact_ids)s::text[]);
