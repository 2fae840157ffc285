-- Write requests for CRM contacts; one that waits for the same already stays as it is.
-- Parameters: contact_id (array), list_id, action. Grain: one row a contact that the CRM has.
INSERT INTO crm_list_membership AS membership (contact_id, list_id, action)
SELECT
    contact_id,
    %(list_id)s,
    %(action)s
FROM crm_contact
WHERE contact_id = any(%(contact_id)s::text[])
ON CONFLICT (contact_id, list_id) DO UPDATE
    SET
        action = excluded.action,
        requested_at = excluded.requested_at,
        status = 'pending',
        processed_at = NULL,
        released_at = NULL,
        hold_id = NULL,
        detail = NULL
    WHERE membership.status <> 'pending' OR membership.action <> excluded.action;
