-- How many activities and campaigns have a role or a status that the contract does not name.
-- Parameters: roles, statuses (those that it names).
-- Grain: one row a noun (role, status) and value.
SELECT
    'role' AS noun,
    role AS value,
    count(*) AS count
FROM ctct_campaign_activity
WHERE role <> all(%(roles)s)
GROUP BY role
UNION ALL
SELECT
    'status',
    current_status,
    count(*)
FROM ctct_campaign
WHERE current_status <> all(%(statuses)s)
GROUP BY current_status
ORDER BY noun, value;
