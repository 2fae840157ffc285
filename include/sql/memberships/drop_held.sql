-- What was just held is not wanted any more. Grain: one row a request.
DELETE FROM wanted_membership AS wanted
USING crm_list_membership AS membership
WHERE
    wanted.contact_id = membership.contact_id
    AND wanted.list_id = membership.list_id
    AND membership.status = 'held';
