-- What a person sees before the answer. Parameters: hold_id. Grain: one row a list, the most
-- frequent first, with ten of the contacts; a request does not say by whom it was made.
SELECT
    'the CRM' AS changed_by,
    'off the list “' || coalesce(list.name, membership.list_id) || '”' AS reason,
    count(*) AS contacts,
    min(membership.requested_at) AS first_changed_at,
    max(membership.requested_at) AS last_changed_at,
    (array_agg(membership.contact_id ORDER BY membership.contact_id))[:10] AS sample
FROM crm_list_membership AS membership
LEFT JOIN ctct_list AS list ON membership.list_id = list.list_id
WHERE membership.status = 'held' AND membership.hold_id = %(hold_id)s
GROUP BY list.name, membership.list_id
ORDER BY count(*) DESC, reason ASC;
