-- A page of the contacts of a choice, by id. Parameters: choice_id, after (a contact id; '': from
-- the first), most. Grain: one row a contact.
SELECT
    chosen.contact_id,
    chosen.is_left_out,
    crm.email_address AS preferred_email,
    mirrored.permission_to_send,
    concat_ws(' ', crm.first_name, crm.last_name) AS name,
    coalesce(crm.do_not_email, FALSE) AS do_not_email
FROM ctct_choice_contact AS chosen
LEFT JOIN ctct_link AS crm ON chosen.contact_id = crm.contact_id
LEFT JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
WHERE chosen.choice_id = %(choice_id)s AND chosen.contact_id > %(after)s
ORDER BY chosen.contact_id
LIMIT %(most)s;
