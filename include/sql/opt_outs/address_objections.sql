-- Who else in the CRM has the address that would be mailed, whatever they are linked to: a link
-- stays when addresses change. Parameters: contact_id, constant_contact_id, address (null: as
-- mirrored).
-- Grain: one row: whether any of them says no, and whether any once asked to be left alone.
SELECT
    coalesce(bool_or(other.do_not_email), FALSE) AS flag_is_set,
    coalesce(
        bool_or(
            EXISTS (
                SELECT FROM crm_opt_out_change AS asked
                WHERE
                    asked.contact_id = other.contact_id
                    AND asked.do_not_email
                    AND asked.requested_by_contact
            )
        ),
        FALSE
    ) AS has_asked
FROM ctct_link AS other
WHERE
    other.contact_id <> %(contact_id)s
    AND other.email_key = coalesce(
        ctct_email_key(%(address)s::text),
        (
            SELECT mirrored.email_key FROM ctct_contact AS mirrored
            WHERE mirrored.contact_id = %(constant_contact_id)s
        )
    );
