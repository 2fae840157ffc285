-- Whose Do Not Email was lost: linked contacts that Constant Contact may not mail since the moment
-- that the CRM was restored to. Where the vendor gives no date, it counts as since.
-- Parameters: restored_to. Grain: one row a CRM contact.
INSERT INTO changed_flag (contact_id)
SELECT link.contact_id
FROM ctct_link AS link
INNER JOIN ctct_contact AS mirrored ON link.constant_contact_id = mirrored.contact_id
WHERE
    link.do_not_email IS NOT TRUE
    AND mirrored.permission_to_send = 'unsubscribed'
    AND coalesce(mirrored.opt_out_date >= %(restored_to)s, TRUE);
