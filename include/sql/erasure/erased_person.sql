-- Whom an erasure is about: by a CRM contact (also one who has left the CRM), or by the vendor's.
-- Parameters: contact_id, constant_contact_id (one of them null).
-- Grain: one row: the ids of the vendor's contacts, that of the link, deleted ones that were linked
-- before, and those with one of the addresses; whether the mirror has one; the CRM contacts that
-- are or were linked to them or have the address, those of them that are in the CRM besides the one
-- asked for; and the addresses' digests.
WITH resolved AS (
    SELECT
        coalesce(
            %(constant_contact_id)s::text,
            (
                SELECT crm.constant_contact_id FROM ctct_link AS crm
                WHERE crm.contact_id = %(contact_id)s
            ),
            (
                SELECT coalesce(gone.constant_contact_id, gone.projected_id)
                FROM ctct_left_contact AS gone
                WHERE gone.contact_id = %(contact_id)s
            ),
            (
                SELECT change.constant_contact_id FROM crm_opt_out_change AS change
                WHERE
                    change.contact_id = %(contact_id)s
                    AND change.constant_contact_id IS NOT NULL
                ORDER BY change.change_id DESC
                LIMIT 1
            )
        ) AS constant_contact_id
),

person AS (
    SELECT constant_contact_id FROM resolved
    WHERE constant_contact_id IS NOT NULL
    UNION
    -- A link moves when its contact is deleted; what that one did stays.
    SELECT mirrored.contact_id FROM crm_opt_out_change AS change
    INNER JOIN ctct_contact AS mirrored ON change.constant_contact_id = mirrored.contact_id
    WHERE change.contact_id = %(contact_id)s AND mirrored.deleted_at IS NOT NULL
),

address AS (
    SELECT mirrored.email_key FROM ctct_contact AS mirrored
    INNER JOIN person ON mirrored.contact_id = person.constant_contact_id
    WHERE mirrored.email_key IS NOT NULL
    UNION
    SELECT crm.email_key FROM ctct_link AS crm
    LEFT JOIN person ON crm.constant_contact_id = person.constant_contact_id
    WHERE
        (crm.contact_id = %(contact_id)s OR person.constant_contact_id IS NOT NULL)
        AND crm.email_key IS NOT NULL
),

vendors AS (
    SELECT constant_contact_id FROM person
    UNION
    SELECT mirrored.contact_id FROM ctct_contact AS mirrored
    INNER JOIN address ON mirrored.email_key = address.email_key
),

contact AS (
    SELECT %(contact_id)s::text AS contact_id
    WHERE %(contact_id)s IS NOT NULL
    UNION
    SELECT crm.contact_id FROM ctct_link AS crm
    INNER JOIN vendors ON crm.constant_contact_id = vendors.constant_contact_id
    UNION
    SELECT crm.contact_id FROM ctct_link AS crm
    INNER JOIN address ON crm.email_key = address.email_key
    UNION
    SELECT gone.contact_id FROM ctct_left_contact AS gone
    INNER JOIN vendors
        ON vendors.constant_contact_id IN (gone.constant_contact_id, gone.projected_id)
)

SELECT
    -- In one order, for whoever locks them.
    array(
        SELECT vendors.constant_contact_id FROM vendors
        ORDER BY vendors.constant_contact_id
    ) AS constant_contact_ids,
    exists(
        SELECT FROM ctct_contact AS mirrored
        INNER JOIN vendors ON mirrored.contact_id = vendors.constant_contact_id
    ) AS is_mirrored,
    array(SELECT contact.contact_id FROM contact) AS contact_ids,
    array(
        SELECT crm.contact_id FROM ctct_link AS crm
        INNER JOIN contact ON crm.contact_id = contact.contact_id
        WHERE crm.contact_id <> %(contact_id)s
        ORDER BY crm.contact_id
    ) AS others,
    array(
        SELECT ctct_email_digest(address.email_key) FROM address
        UNION
        SELECT link.erased_digest FROM ctct_link AS link
        WHERE link.contact_id = %(contact_id)s AND link.erased_digest IS NOT NULL
    ) AS email_digests;
