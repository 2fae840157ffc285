-- How a change stands now that its contact is ours: the CRM's flag as last seen, and whom the
-- change is about. Parameters: contact_id, change_id. Grain: one row; `do_not_email` is null
-- where the CRM says nothing or the contact is gone.
SELECT
    CASE WHEN link.absence_hold_id IS NULL THEN link.do_not_email END AS do_not_email,
    link.contact_id IS NOT NULL AS is_in_crm,
    CASE
        WHEN change.is_found THEN change.constant_contact_id
        ELSE coalesce(link.constant_contact_id, change.constant_contact_id)
    END AS constant_contact_id
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS link ON change.contact_id = link.contact_id
WHERE change.change_id = %(change_id)s;
