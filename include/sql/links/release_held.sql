-- A person agrees that these links are cleared; but not those whose contact is there again.
-- Parameters: hold_id. Grain: one row a CRM contact.
UPDATE ctct_link AS link
SET constant_contact_id = NULL, link_hold_id = NULL, linked_at = clock_timestamp()
WHERE
    link.link_hold_id = %(hold_id)s::bigint
    AND NOT EXISTS (
        SELECT FROM ctct_contact AS living
        WHERE living.contact_id = link.constant_contact_id AND living.deleted_at IS NULL
    );
