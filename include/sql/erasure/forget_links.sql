-- Forget of whom interactions were made. Parameters: constant_contact_ids.
-- Grain: one row a CRM contact that left.
WITH linked AS (
    UPDATE ctct_link
    SET projected_id = NULL
    WHERE projected_id = any(%(constant_contact_ids)s::text[])
)

DELETE FROM ctct_left_contact
WHERE
    constant_contact_id = any(%(constant_contact_ids)s::text[])
    OR projected_id = any(%(constant_contact_ids)s::text[]);
