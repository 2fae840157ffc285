-- Who objects to mailing this contact again, as of now; asked right before it would happen.
-- Parameters: contact_id, constant_contact_id. Grain: one row: whether the person was erased,
-- whether the CRM's flag is set, whether another CRM contact with the same link says no, and when
-- any of them last asked to be left alone.
WITH linked AS (
    SELECT
        crm.contact_id,
        crm.do_not_email
    FROM ctct_link AS crm
    WHERE crm.constant_contact_id = %(constant_contact_id)s
)

SELECT
    exists(
        SELECT FROM ctct_erased AS erased
        WHERE erased.constant_contact_id = %(constant_contact_id)s
    ) AS is_erased,
    coalesce(
        (
            SELECT crm.do_not_email FROM ctct_link AS crm
            WHERE crm.contact_id = %(contact_id)s
        ),
        FALSE
    ) AS flag_is_set,
    exists(
        SELECT FROM linked
        WHERE linked.contact_id <> %(contact_id)s AND linked.do_not_email
    ) AS other_contact_says_no,
    -- Three lookups, each by its index; one condition with OR reads everybody's.
    greatest(
        (
            SELECT max(asked.changed_at) FROM crm_opt_out_change AS asked
            WHERE
                asked.contact_id = %(contact_id)s
                AND asked.do_not_email
                AND asked.requested_by_contact
        ),
        (
            SELECT max(asked.changed_at) FROM crm_opt_out_change AS asked
            WHERE
                asked.constant_contact_id = %(constant_contact_id)s
                AND asked.do_not_email
                AND asked.requested_by_contact
        ),
        (
            SELECT max(asked.changed_at)
            FROM linked
            INNER JOIN crm_opt_out_change AS asked ON linked.contact_id = asked.contact_id
            WHERE asked.do_not_email AND asked.requested_by_contact
        )
    ) AS asked_at;
