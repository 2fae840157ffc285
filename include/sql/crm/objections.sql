-- Who objects to mailing this contact again, as of now; asked right before it would happen.
-- Parameters: contact_id, constant_contact_id, change_id. Grain: one row of three facts.
SELECT
    coalesce(
        (
            SELECT crm.do_not_email FROM crm_contact AS crm
            WHERE crm.contact_id = %(contact_id)s
        ),
        FALSE
    ) AS flag_is_set,
    exists(
        SELECT FROM crm_contact AS other
        WHERE
            other.constant_contact_id = %(constant_contact_id)s
            AND other.contact_id <> %(contact_id)s
            AND other.do_not_email
    ) AS other_contact_says_no,
    exists(
        SELECT FROM crm_opt_out_change AS asked
        WHERE
            asked.contact_id = %(contact_id)s
            AND asked.do_not_email
            AND asked.requested_by_contact
            AND NOT EXISTS (
                SELECT FROM crm_opt_out_change AS cleared
                WHERE
                    cleared.contact_id = asked.contact_id
                    AND NOT cleared.do_not_email
                    AND cleared.status = 'done'
                    AND cleared.change_id > asked.change_id
                    AND cleared.change_id <> %(change_id)s
            )
    ) AS contact_asked;
