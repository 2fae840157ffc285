-- A person wants requests that were not met to be tried again; but none that somebody overruled
-- later: another CRM contact with the same link or address, about the same list.
-- Parameters: status, list_id, action, contact_id ('': any), most. Grain: one row a request.
WITH unmet AS MATERIALIZED (
    SELECT
        membership.contact_id,
        membership.list_id,
        membership.action,
        membership.requested_at,
        crm.constant_contact_id,
        ctct_email_key(crm.preferred_email) AS email_key
    FROM crm_list_membership AS membership
    LEFT JOIN crm_contact AS crm ON membership.contact_id = crm.contact_id
    WHERE
        membership.status IN ('failed', 'rejected')
        AND (%(status)s = '' OR membership.status = %(status)s)
        AND (%(list_id)s = '' OR membership.list_id = %(list_id)s)
        AND (%(action)s = '' OR membership.action = %(action)s)
        AND (%(contact_id)s = '' OR membership.contact_id = %(contact_id)s)
    ORDER BY membership.requested_at, membership.contact_id, membership.list_id
    LIMIT %(most)s
),

known AS MATERIALIZED (
    SELECT
        membership.contact_id,
        membership.list_id,
        membership.action,
        membership.requested_at,
        crm.constant_contact_id,
        ctct_email_key(crm.preferred_email) AS email_key
    FROM crm_list_membership AS membership
    INNER JOIN crm_contact AS crm ON membership.contact_id = crm.contact_id
    WHERE membership.list_id IN (SELECT list_id FROM unmet)
),

overruled AS (
    SELECT
        unmet.contact_id,
        unmet.list_id
    FROM unmet
    INNER JOIN known
        ON unmet.list_id = known.list_id AND unmet.constant_contact_id = known.constant_contact_id
    WHERE unmet.action <> known.action AND known.requested_at >= unmet.requested_at
    UNION
    SELECT
        unmet.contact_id,
        unmet.list_id
    FROM unmet
    INNER JOIN known ON unmet.list_id = known.list_id AND unmet.email_key = known.email_key
    WHERE unmet.action <> known.action AND known.requested_at >= unmet.requested_at
)

UPDATE crm_list_membership AS membership
SET status = 'pending'
FROM unmet
WHERE
    membership.contact_id = unmet.contact_id
    AND membership.list_id = unmet.list_id
    AND membership.status IN ('failed', 'rejected')
    AND membership.requested_at = unmet.requested_at
    AND NOT EXISTS (
        SELECT FROM overruled
        WHERE
            overruled.contact_id = membership.contact_id
            AND overruled.list_id = membership.list_id
    );
