-- Take away the interactions of activity types that the CRM is no longer to show; the ledger keeps
-- them. Parameters: activity_types (array). Grain: one row an interaction.
DELETE FROM crm_interaction
WHERE activity_type = any(%(activity_types)s);
