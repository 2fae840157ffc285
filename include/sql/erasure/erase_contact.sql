-- Leave of an erased contact in the mirror that there is one. Parameters: constant_contact_ids.
-- Grain: one row.
WITH aside AS (
    DELETE FROM ctct_set_aside
    WHERE noun = 'contact' AND row_id = any(%(constant_contact_ids)s::text[])
)

UPDATE ctct_contact
SET email_address = NULL, opt_out_reason = NULL, list_ids = '{}'
WHERE contact_id = any(%(constant_contact_ids)s::text[]);
