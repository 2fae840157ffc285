-- Who objects to mailing this contact again, as of now; asked right before it would happen.
-- Parameters: contact_id, constant_contact_id. Grain: one row: whether the person was erased,
-- whether the CRM's flag is set, whether another CRM contact with the same link says no, and when
-- any of them last asked to be left alone.
SELECT
    exists(
        SELECT FROM ctct_erased AS erased
        WHERE erased.constant_contact_id = %(constant_contact_id)s
    ) AS is_erased,
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
    (
        SELECT max(asked.changed_at)
        FROM crm_opt_out_change AS asked
        WHERE
            asked.do_not_email
            AND asked.requested_by_contact
            AND (
                asked.contact_id = %(contact_id)s
                OR asked.constant_contact_id = %(constant_contact_id)s
                OR asked.contact_id IN (
                    SELECT same.contact_id
                    FROM crm_contact AS same
                    WHERE same.constant_contact_id = %(constant_contact_id)s
                )
            )
    ) AS asked_at;
