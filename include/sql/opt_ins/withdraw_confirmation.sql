-- The vendor refused before it sent anything: another try is allowed.
-- Parameters: constant_contact_id. Grain: one row.
DELETE FROM ctct_confirmation
WHERE constant_contact_id = %(constant_contact_id)s AND answer IS NULL;
