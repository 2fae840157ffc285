-- How many requests have failed. Parameters: since. Grain: one row.
SELECT count(*) AS failed
FROM crm_list_membership
WHERE status = 'failed' AND processed_at >= %(since)s;
