-- CRM contacts that opened or clicked something in the last 90 days.
-- Grain: one row a contact; a selection has one column, contact_id, and no parameters.
SELECT DISTINCT contact_id
FROM crm_interaction
WHERE
    activity_type IN ('open', 'click')
    AND occurred_at > now() - interval '90 days'
ORDER BY contact_id;
