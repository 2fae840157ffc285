-- What a contact did with our emails, the newest first. Parameters: contact_id, most.
-- Grain: one row an interaction.
SELECT
    occurred_at,
    activity_type,
    description
FROM crm_interaction
WHERE contact_id = %(contact_id)s
ORDER BY occurred_at DESC, interaction_id ASC
LIMIT %(most)s;
