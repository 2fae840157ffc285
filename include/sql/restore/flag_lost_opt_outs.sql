-- Set Do Not Email again where it was lost: linked contacts whom Constant Contact may not mail
-- since the moment that the CRM was restored to. Where the vendor gives no date, it counts as
-- since. Parameters: restored_to. Grain: one row a CRM contact.
UPDATE crm_contact AS crm
SET do_not_email = TRUE
FROM ctct_contact AS mirrored
WHERE
    crm.constant_contact_id = mirrored.contact_id
    AND NOT coalesce(crm.do_not_email, FALSE)
    AND mirrored.permission_to_send = 'unsubscribed'
    AND coalesce(mirrored.opt_out_date >= %(restored_to)s, TRUE);
