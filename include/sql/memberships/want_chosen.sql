-- Ask for a membership of each of these CRM contacts, without writing it.
-- Parameters: contact_id (array), list_id, action. Grain: one row a contact that the CRM has.
INSERT INTO wanted_membership (contact_id, list_id, action, requested_at)
SELECT
    contact_id,
    %(list_id)s,
    %(action)s,
    now()
FROM ctct_link
WHERE contact_id = any(%(contact_id)s::text[]);
