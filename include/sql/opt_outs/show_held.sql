-- What a person sees before the answer. Parameters: hold_id. Grain: one row a reason and a person
-- who changed the flag, the most frequent first, with ten of the contacts.
SELECT
    coalesce(reason, 'no reason given') AS reason,
    coalesce(changed_by, 'unknown') AS changed_by,
    count(*) AS contacts,
    min(changed_at) AS first_changed_at,
    max(changed_at) AS last_changed_at,
    (array_agg(contact_id ORDER BY change_id))[:10] AS sample
FROM crm_opt_out_change
WHERE status = 'held' AND do_not_email AND hold_id = %(hold_id)s
GROUP BY reason, changed_by
ORDER BY count(*) DESC, reason ASC;
