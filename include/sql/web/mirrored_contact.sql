-- A contact of the vendor's as the mirror has it, with the names of its lists (null: not read yet).
-- Parameters: contact_id. Grain: one row.
SELECT
    mirrored.contact_id,
    mirrored.email_address,
    mirrored.email_key,
    mirrored.permission_to_send,
    mirrored.opt_out_source,
    mirrored.opt_out_date,
    mirrored.opt_out_reason,
    mirrored.updated_at,
    mirrored.deleted_at,
    mirrored.mirrored_at,
    CASE
        WHEN mirrored.list_ids IS NOT NULL
            THEN array(
                SELECT coalesce(list.name, on_it.list_id)
                FROM unnest(mirrored.list_ids) AS on_it (list_id)
                LEFT JOIN ctct_list AS list ON on_it.list_id = list.list_id
                WHERE list.deleted_at IS NULL
                ORDER BY 1
            )
    END AS list_names
FROM ctct_contact AS mirrored
WHERE mirrored.contact_id = %(contact_id)s;
