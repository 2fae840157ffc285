-- What a person sees before the answer. Parameters: hold_id. Grain: one row, with ten contacts.
SELECT
    'the CRM' AS changed_by,
    'no longer in the CRM' AS reason,
    count(*) AS contacts,
    min(seen_at) AS first_changed_at,
    max(seen_at) AS last_changed_at,
    (array_agg(contact_id ORDER BY contact_id))[:10] AS sample
FROM ctct_link
WHERE absence_hold_id = %(hold_id)s
HAVING count(*) > 0;
