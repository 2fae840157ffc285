-- CRM contacts whose name or address contains a text, narrowed by what the mirror knows of them.
-- Parameters: search ('': any), contact_id (array of those to look among; null: all), on_list,
-- not_on_list (list ids; '': any), is_mailable (only those who said no on neither side).
-- Grain: one row a contact.
SELECT crm.contact_id
FROM ctct_link AS crm
LEFT JOIN ctct_contact AS mirrored
    ON crm.constant_contact_id = mirrored.contact_id AND mirrored.deleted_at IS NULL
WHERE
    (
        %(search)s = ''
        OR strpos(
            lower(concat_ws(' ', crm.first_name, crm.last_name, crm.email_address)),
            lower(%(search)s)
        ) > 0
    )
    AND (%(contact_id)s::text[] IS NULL OR crm.contact_id = any(%(contact_id)s::text[]))
    AND (%(on_list)s = '' OR %(on_list)s = any(mirrored.list_ids))
    AND (
        %(not_on_list)s = ''
        OR NOT coalesce(%(not_on_list)s = any(mirrored.list_ids), FALSE)
    )
    AND (
        NOT %(is_mailable)s
        OR (
            NOT coalesce(crm.do_not_email, FALSE)
            AND mirrored.permission_to_send IS DISTINCT FROM 'unsubscribed'
        )
    )
ORDER BY crm.contact_id;
