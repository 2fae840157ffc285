-- Leave of an erased contact in the mirror that there is one. Parameters: constant_contact_ids.
-- Grain: one row.
UPDATE ctct_contact
SET email_address = NULL, opt_out_reason = NULL, list_ids = '{}'
WHERE contact_id = any(%(constant_contact_ids)s::text[]);
