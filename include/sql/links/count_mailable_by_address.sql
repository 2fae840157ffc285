-- Whom Constant Contact may mail at an address that a CRM contact with Do Not Email has now, where
-- that contact's link is to another: its opt-out went there. Grain: one row: how many CRM contacts,
-- and ten of them.
WITH reachable AS (
    SELECT DISTINCT crm.contact_id
    FROM ctct_link AS crm
    INNER JOIN ctct_contact AS mirrored
        ON crm.email_key = mirrored.email_key
    WHERE
        crm.do_not_email
        AND crm.constant_contact_id <> mirrored.contact_id
        AND mirrored.deleted_at IS NULL
        AND mirrored.permission_to_send IS DISTINCT FROM 'unsubscribed'
)

SELECT
    (SELECT count(*) FROM reachable) AS mailable_by_address,
    array(
        SELECT contact_id FROM reachable
        ORDER BY contact_id ASC
        LIMIT 10
    ) AS sample;
