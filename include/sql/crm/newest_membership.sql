-- Whether requests wait, and which came last: what the trigger looks at.
-- Grain: one row; `requested_at` is null where nothing waits.
SELECT max(requested_at) AS requested_at
FROM crm_list_membership
WHERE status = 'pending';
