-- Which links are to be made, moved or cleared; changes none of them. A living link stays, whatever
-- became of the addresses. A contact that we created at the vendor is linked to that one, whatever
-- its address is now; else to the living one with its address, whatever the vendor may send it. Of
-- several with an address it is the one that changed last. A link to a deleted contact, or to an id
-- that the vendor does not have, is cleared where there is no other.
-- Parameters: mirror_is_whole (an id that the mirror does not have is then one that the vendor has
-- not). Grain: one row a CRM contact whose link is to change.
INSERT INTO wanted_link (contact_id, old_id, new_id)
WITH loose AS MATERIALIZED (
    SELECT
        link.contact_id,
        link.constant_contact_id,
        link.email_key,
        -- Of an id that was not read yet nothing is known.
        link.constant_contact_id IS NOT NULL
        AND linked.contact_id IS NULL
        AND NOT %(mirror_is_whole)s AS may_live
    FROM ctct_link AS link
    LEFT JOIN ctct_contact AS linked ON link.constant_contact_id = linked.contact_id
    WHERE
        link.constant_contact_id IS NULL
        OR linked.contact_id IS NULL
        OR linked.deleted_at IS NOT NULL
),

created AS (
    SELECT
        carried.contact_id,
        carried.target AS email_key
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    WHERE activity.kind IN ('import', 'create') AND activity.state <> 'planned'
),

address AS (
    SELECT
        loose.contact_id,
        created.email_key,
        TRUE AS is_created
    FROM loose
    INNER JOIN created ON loose.contact_id = created.contact_id
    UNION ALL
    SELECT
        contact_id,
        email_key,
        FALSE
    FROM loose
    WHERE email_key ~ '^[^@[:space:]]+@[^@[:space:]]+$'
),

found AS (
    SELECT DISTINCT ON (address.contact_id)
        address.contact_id,
        living.contact_id AS new_id
    FROM address
    INNER JOIN ctct_contact AS living
        ON address.email_key = living.email_key AND living.deleted_at IS NULL
    ORDER BY
        address.contact_id ASC,
        address.is_created DESC,
        living.updated_at DESC NULLS LAST,
        living.contact_id ASC
)

SELECT
    loose.contact_id,
    loose.constant_contact_id AS old_id,
    found.new_id
FROM loose
LEFT JOIN found ON loose.contact_id = found.contact_id
WHERE
    loose.constant_contact_id IS DISTINCT FROM found.new_id
    AND (found.new_id IS NOT NULL OR NOT loose.may_live);
