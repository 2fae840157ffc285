-- Whose changes of Do Not Email wait. Grain: one row a CRM contact.
SELECT DISTINCT contact_id
FROM crm_opt_out_change
WHERE status = 'pending';
