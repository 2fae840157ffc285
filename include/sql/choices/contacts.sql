-- Whom a choice is about, without those left out. Parameters: choice_id. Grain: one row a contact.
SELECT contact_id
FROM ctct_choice_contact
WHERE choice_id = %(choice_id)s AND NOT is_left_out
ORDER BY contact_id;
