-- Which links are to be made, moved or cleared, by address; changes none of them.
-- A living link stays, whatever became of the addresses; a link to a deleted contact moves to the
-- living one with the address, or is cleared. Everyone with an address is linked, whatever the
-- vendor may send them; a deleted contact never is. Of several with an address it is the one that
-- changed last.
-- Parameters: mirror_is_whole (an id the mirror does not have is then one the vendor has not).
-- Grain: one row a CRM contact whose link is to change.
INSERT INTO wanted_link (contact_id, old_id, new_id)
WITH loose AS (
    SELECT
        crm.contact_id,
        crm.constant_contact_id,
        ctct_email_key(crm.preferred_email) AS email_key
    FROM crm_contact AS crm
    LEFT JOIN ctct_contact AS linked ON crm.constant_contact_id = linked.contact_id
    WHERE
        crm.constant_contact_id IS NULL
        OR linked.deleted_at IS NOT NULL
        OR (linked.contact_id IS NULL AND %(mirror_is_whole)s)
),

wanted AS (
    SELECT DISTINCT ON (loose.contact_id)
        loose.contact_id,
        loose.constant_contact_id AS old_id,
        living.contact_id AS new_id
    FROM loose
    LEFT JOIN ctct_contact AS living
        ON
            loose.email_key = living.email_key
            AND loose.email_key ~ '^[^@\s]+@[^@\s]+$'
            AND living.deleted_at IS NULL
    ORDER BY loose.contact_id ASC, living.updated_at DESC NULLS LAST, living.contact_id ASC
)

SELECT
    contact_id,
    old_id,
    new_id
FROM wanted
WHERE old_id IS DISTINCT FROM new_id;
