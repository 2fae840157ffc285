-- Who objects to mailing this contact again, as of now; asked right before it would happen.
-- Parameters: contact_id, constant_contact_id, address (of that contact as the vendor has it; null:
-- as mirrored). Grain: one row: whether the person was erased, whether the CRM's flag is set,
-- whether another CRM contact with the same link or address says no, and when any of them last
-- asked to be left alone.
WITH household AS (
    SELECT
        crm.contact_id,
        crm.do_not_email
    FROM crm_contact AS crm
    WHERE
        crm.contact_id = %(contact_id)s
        OR crm.constant_contact_id = %(constant_contact_id)s
    UNION
    -- A link stays when addresses change: somebody else's may be what is mailed here.
    SELECT
        crm.contact_id,
        crm.do_not_email
    FROM crm_contact AS crm
    WHERE
        ctct_email_key(crm.preferred_email) = coalesce(
            ctct_email_key(%(address)s::text),
            (
                SELECT mirrored.email_key FROM ctct_contact AS mirrored
                WHERE mirrored.contact_id = %(constant_contact_id)s
            )
        )
)

SELECT
    exists(
        SELECT FROM ctct_erased AS erased
        WHERE erased.constant_contact_id = %(constant_contact_id)s
    ) AS is_erased,
    exists(
        SELECT FROM household
        WHERE household.contact_id = %(contact_id)s AND household.do_not_email
    ) AS flag_is_set,
    exists(
        SELECT FROM household
        WHERE household.contact_id <> %(contact_id)s AND household.do_not_email
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
                OR asked.contact_id IN (SELECT household.contact_id FROM household)
            )
    ) AS asked_at;
