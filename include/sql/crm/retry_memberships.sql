-- A person wants requests that were not met to be tried again; but none that somebody overruled
-- later: another CRM contact with the same link or address, about the same list. Many at once are
-- none of before a restore, which may have been met and taken back since: those go one by one.
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
        AND (
            %(contact_id)s <> ''
            OR membership.action = 'remove'
            OR membership.requested_at > all(SELECT settled_at FROM ctct_restore)
        )
),

-- From the opposite wishes, which are few, and not from all contacts of the CRM.
opposite AS MATERIALIZED (
    SELECT
        known.list_id,
        known.action,
        known.requested_at,
        crm.constant_contact_id,
        ctct_email_key(crm.preferred_email) AS email_key
    FROM crm_list_membership AS known
    INNER JOIN crm_contact AS crm ON known.contact_id = crm.contact_id
    WHERE
        known.requested_at >= (SELECT min(requested_at) FROM unmet)
        AND known.list_id IN (SELECT list_id FROM unmet)
        AND known.action IN (
            SELECT CASE WHEN unmet.action = 'add' THEN 'remove' ELSE 'add' END FROM unmet
        )
),

overruled AS (
    SELECT
        unmet.contact_id,
        unmet.list_id
    FROM unmet
    INNER JOIN opposite
        ON
            unmet.list_id = opposite.list_id
            AND unmet.constant_contact_id = opposite.constant_contact_id
    WHERE unmet.action <> opposite.action AND opposite.requested_at >= unmet.requested_at
    UNION
    SELECT
        unmet.contact_id,
        unmet.list_id
    FROM unmet
    INNER JOIN opposite
        ON unmet.list_id = opposite.list_id AND unmet.email_key = opposite.email_key
    WHERE unmet.action <> opposite.action AND opposite.requested_at >= unmet.requested_at
),

tried AS (
    SELECT
        unmet.contact_id,
        unmet.list_id,
        unmet.requested_at
    FROM unmet
    WHERE
        NOT EXISTS (
            SELECT FROM overruled
            WHERE overruled.contact_id = unmet.contact_id AND overruled.list_id = unmet.list_id
        )
    ORDER BY unmet.requested_at, unmet.contact_id, unmet.list_id
    LIMIT %(most)s
)

UPDATE crm_list_membership AS membership
SET status = 'pending'
FROM tried
WHERE
    membership.contact_id = tried.contact_id
    AND membership.list_id = tried.list_id
    AND membership.status IN ('failed', 'rejected')
    AND membership.requested_at = tried.requested_at;
