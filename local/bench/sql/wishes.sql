-- What people in the CRM do on day %(day)s: %(flagged)s say no to email, %(requested)s are wanted on
-- a list, each day another, and %(known)s who were strangers give an address that the vendor knows.
UPDATE crm_contact SET do_not_email = TRUE
WHERE contact_id IN (
    SELECT crm.contact_id
    FROM crm_contact AS crm
    INNER JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
    WHERE
        NOT crm.do_not_email AND mirrored.deleted_at IS NULL
        AND mirrored.permission_to_send <> 'unsubscribed'
    ORDER BY md5(crm.contact_id)
    LIMIT %(flagged)s
);

INSERT INTO crm_list_membership (contact_id, list_id, action)
SELECT
    chosen.contact_id,
    list.list_id,
    'add'
FROM (
    SELECT crm.contact_id
    FROM crm_contact AS crm
    INNER JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
    WHERE
        NOT crm.do_not_email AND mirrored.deleted_at IS NULL
        AND mirrored.permission_to_send <> 'unsubscribed'
    ORDER BY md5(crm.contact_id)
    LIMIT %(requested)s
) AS chosen
CROSS JOIN (
    SELECT list_id
    FROM ctct_list
    WHERE deleted_at IS NULL
    ORDER BY list_id
    LIMIT 1 OFFSET %(day)s
) AS list;

UPDATE crm_contact AS crm SET preferred_email = free.email_address
FROM (
    SELECT
        email_address,
        row_number() OVER (ORDER BY md5(contact_id)) AS number
    FROM ctct_contact AS mirrored
    WHERE
        deleted_at IS NULL AND email_address IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM crm_contact WHERE constant_contact_id = mirrored.contact_id
        )
    LIMIT %(known)s
) AS free
INNER JOIN (
    SELECT
        contact_id,
        row_number() OVER (ORDER BY md5(contact_id)) AS number
    FROM crm_contact
    WHERE preferred_email LIKE 'stranger.%%'
    LIMIT %(known)s
) AS stranger ON free.number = stranger.number
WHERE crm.contact_id = stranger.contact_id;
