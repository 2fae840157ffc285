-- Write requests for CRM contacts, as wishes of the moment that a person had them: one that waits
-- for the same already stays as it is, and so does whatever somebody wanted later, of the contact
-- or of another with the same link or address.
-- Parameters: contact_id (array), list_id, action, asked_at. Grain: one row a contact that the CRM
-- has.
WITH newer AS MATERIALIZED (
    SELECT
        crm.constant_contact_id,
        crm.email_key
    FROM crm_list_membership AS later
    INNER JOIN ctct_link AS crm ON later.contact_id = crm.contact_id
    WHERE
        later.requested_at >= %(asked_at)s::timestamptz
        AND later.list_id = %(list_id)s
        AND later.action <> %(action)s
)

INSERT INTO crm_list_membership AS membership (contact_id, list_id, action, requested_at)
SELECT
    crm.contact_id,
    %(list_id)s,
    %(action)s,
    -- Airflow's clock, where it is the one, may be ahead of ours.
    least(%(asked_at)s::timestamptz, clock_timestamp())
FROM ctct_link AS crm
WHERE
    crm.contact_id = any(%(contact_id)s::text[])
    AND NOT EXISTS (
        SELECT FROM newer
        WHERE newer.constant_contact_id = crm.constant_contact_id
    )
    AND NOT EXISTS (
        SELECT FROM newer
        WHERE newer.email_key = crm.email_key
    )
ON CONFLICT (contact_id, list_id) DO UPDATE
    SET
        action = excluded.action,
        requested_at = excluded.requested_at,
        status = 'pending',
        processed_at = NULL,
        released_at = NULL,
        hold_id = NULL,
        detail = NULL
    WHERE
    membership.requested_at < excluded.requested_at
    AND (membership.status <> 'pending' OR membership.action <> excluded.action);
