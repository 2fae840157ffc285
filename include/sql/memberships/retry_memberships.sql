-- A person wants requests that were not met to be tried again; but none that somebody overruled
-- later: another CRM contact with the same link or address, about the same list. Many at once are
-- none of before a restore, which may have been met and taken back since: those go one by one.
-- Looks at the oldest, as many as `most`, after the last one that the look before this one saw: of
-- a million, all would be too many to look at while somebody waits.
-- Parameters: status, list_id, action, contact_id ('': any), most; after_requested_at (null: from
-- the oldest), after_contact_id, after_list_id.
-- Grain: one row: how many are tried again, how many were looked at, and the last of those.
WITH candidate AS MATERIALIZED (
    SELECT
        contact_id,
        list_id,
        action,
        requested_at
    FROM crm_list_membership
    WHERE
        status IN ('failed', 'rejected')
        AND (%(status)s = '' OR status = %(status)s)
        AND (%(list_id)s = '' OR list_id = %(list_id)s)
        AND (%(action)s = '' OR action = %(action)s)
        AND (%(contact_id)s = '' OR contact_id = %(contact_id)s)
        AND (
            %(contact_id)s <> ''
            OR action = 'remove'
            OR requested_at > all(SELECT settled_at FROM ctct_restore)
        )
        AND (
            %(after_requested_at)s::timestamptz IS NULL
            OR (requested_at, contact_id, list_id)
            > (%(after_requested_at)s::timestamptz, %(after_contact_id)s, %(after_list_id)s)
        )
    ORDER BY requested_at, contact_id, list_id
    LIMIT %(most)s
),

unmet AS MATERIALIZED (
    SELECT
        candidate.contact_id,
        candidate.list_id,
        candidate.action,
        candidate.requested_at,
        crm.constant_contact_id,
        crm.email_key
    FROM candidate
    LEFT JOIN ctct_link AS crm ON candidate.contact_id = crm.contact_id
),

-- From the opposite wishes, which are few, and not from all contacts of the CRM.
opposite AS MATERIALIZED (
    SELECT
        known.list_id,
        known.action,
        known.requested_at,
        crm.constant_contact_id,
        crm.email_key
    FROM crm_list_membership AS known
    INNER JOIN ctct_link AS crm ON known.contact_id = crm.contact_id
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
),

retried AS (
    UPDATE crm_list_membership AS membership
    SET status = 'pending'
    FROM tried
    WHERE
        membership.contact_id = tried.contact_id
        AND membership.list_id = tried.list_id
        AND membership.status IN ('failed', 'rejected')
        AND membership.requested_at = tried.requested_at
    RETURNING membership.contact_id
)

SELECT
    count(*) AS looked_at,
    (SELECT count(*) FROM retried) AS retried,
    (array_agg(requested_at ORDER BY requested_at DESC, contact_id DESC, list_id DESC))[1]
        AS after_requested_at,
    (array_agg(contact_id ORDER BY requested_at DESC, contact_id DESC, list_id DESC))[1]
        AS after_contact_id,
    (array_agg(list_id ORDER BY requested_at DESC, contact_id DESC, list_id DESC))[1]
        AS after_list_id
FROM candidate;
