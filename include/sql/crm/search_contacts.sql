-- CRM contacts whose name or address contains a text. Parameters: search. Grain: one row a contact.
SELECT contact_id
FROM crm_contact
WHERE
    strpos(
        lower(concat_ws(' ', first_name, last_name, preferred_email)), lower(%(search)s)
    ) > 0
ORDER BY contact_id;
