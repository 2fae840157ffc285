-- Forget in which calls an erased person was carried.
-- Parameters: constant_contact_ids, contact_ids. Grain: one row a request.
DELETE FROM ctct_bulk_activity_row
WHERE contact_id = any(%(contact_ids)s::text[]) OR target = any(%(constant_contact_ids)s::text[]);
