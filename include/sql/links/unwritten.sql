-- The next links that the CRM's own column does not have, in the order of ids.
-- Parameters: after (a contact id; '': from the first), most. Grain: one row a CRM contact.
SELECT
    contact_id,
    constant_contact_id
FROM ctct_link
WHERE
    contact_id > %(after)s
    AND constant_contact_id IS DISTINCT FROM written_id
    AND absence_hold_id IS NULL
ORDER BY contact_id
LIMIT %(most)s;
