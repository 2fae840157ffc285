-- Changes of Do Not Email that wait, or are held; which are of a backlog, a mass that a person
-- released. Grain: one row a change.
SELECT
    change_id,
    contact_id,
    status,
    released_at IS NOT NULL AND requested_by_contact IS NOT TRUE AS is_backlog
FROM crm_opt_out_change
WHERE status IN ('pending', 'held');
