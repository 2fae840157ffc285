-- Forget an erased person's requests for lists. Parameters: contact_ids.
-- Grain: one row a request.
DELETE FROM crm_list_membership
WHERE contact_id = any(%(contact_ids)s::text[]);
