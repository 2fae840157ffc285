-- Changes of Do Not Email that wait, or are held. Grain: one row a change.
SELECT
    change_id,
    contact_id,
    status
FROM crm_opt_out_change
WHERE status IN ('pending', 'held');
