-- How many of these CRM contacts have no request of that kind waiting right after it was written:
-- those of whom somebody wanted something else later. Parameters: contact_id (array), list_id,
-- action. Grain: one row.
SELECT count(*) AS overruled
FROM ctct_link AS crm
WHERE
    crm.contact_id = any(%(contact_id)s::text[])
    AND NOT EXISTS (
        SELECT FROM crm_list_membership AS membership
        WHERE
            membership.contact_id = crm.contact_id
            AND membership.list_id = %(list_id)s
            AND membership.action = %(action)s
            AND membership.status = 'pending'
    );
