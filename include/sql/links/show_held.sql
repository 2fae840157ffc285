-- What a person sees before the answer. Parameters: hold_id. Grain: one row, with ten contacts.
SELECT
    'Constant Contact' AS changed_by,
    'linked to contacts that Constant Contact no longer has' AS reason,
    count(*) AS contacts,
    min(linked_at) AS first_changed_at,
    max(linked_at) AS last_changed_at,
    (array_agg(contact_id ORDER BY contact_id))[:10] AS sample
FROM ctct_link
WHERE link_hold_id = %(hold_id)s
HAVING count(*) > 0;
