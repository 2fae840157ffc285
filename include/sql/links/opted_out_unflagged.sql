-- Linked contacts that unsubscribed at Constant Contact themselves and that the CRM does not flag.
-- Grain: one row a CRM contact.
INSERT INTO changed_flag (contact_id)
SELECT link.contact_id
FROM ctct_link AS link
INNER JOIN ctct_contact AS mirrored ON link.constant_contact_id = mirrored.contact_id
WHERE
    link.do_not_email IS NOT TRUE
    AND link.absence_hold_id IS NULL
    AND mirrored.deleted_at IS NULL
    AND mirrored.permission_to_send = 'unsubscribed'
    AND mirrored.opt_out_source = 'Contact';
