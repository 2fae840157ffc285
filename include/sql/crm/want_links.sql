-- Which links are to be made, moved or cleared, by address; changes none of them.
-- A living link stays, whatever became of the addresses; a link to a deleted contact moves to the
-- living one with the address, or is cleared. Everyone with an address is linked, whatever the
-- vendor may send them; a deleted contact never is.
-- Parameters: mirror_is_whole (an id the mirror does not have is then one the vendor has not).
-- Grain: one row a CRM contact whose link is to change.
INSERT INTO wanted_link (contact_id, old_id, new_id)
WITH living AS (
    SELECT DISTINCT ON (email_key)
        email_key,
        contact_id
    FROM ctct_contact
    WHERE deleted_at IS NULL AND email_key ~ '^[^@\s]+@[^@\s]+$'
    ORDER BY email_key ASC, updated_at DESC NULLS LAST, contact_id ASC
)

SELECT
    crm.contact_id,
    crm.constant_contact_id,
    living.contact_id
FROM crm_contact AS crm
LEFT JOIN ctct_contact AS linked ON crm.constant_contact_id = linked.contact_id
LEFT JOIN living ON ctct_email_key(crm.preferred_email) = living.email_key
WHERE
    crm.constant_contact_id IS DISTINCT FROM living.contact_id
    AND (
        crm.constant_contact_id IS NULL
        OR linked.deleted_at IS NOT NULL
        OR (linked.contact_id IS NULL AND %(mirror_is_whole)s)
    );
