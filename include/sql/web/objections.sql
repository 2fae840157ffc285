-- What one contact's page shows of the register: the objections that stand against emailing it, and
-- those of its own that were lifted. Parameters: contact_id, constant_contact_id, address, most.
-- Grain: one row an objection, those that stand first, then the newest.
SELECT
    objection.objection_id,
    objection.source,
    objection.contact_id,
    objection.objected_at,
    objection.reason,
    objection.told_by,
    objection.lifted_at,
    objection.lifted_by,
    objection.evidence,
    objection.source IN ('flag', 'asked', 'vendor_account') AS may_be_lifted,
    coalesce(link.do_not_email, FALSE) AS flag_is_set
FROM (
    SELECT standing.objection_id
    FROM
        ctct_standing_objections(
            %(contact_id)s::text, %(constant_contact_id)s::text, %(address)s::text
        ) AS standing
    UNION
    SELECT lifted.objection_id FROM ctct_objection AS lifted
    WHERE lifted.contact_id = %(contact_id)s AND lifted.lifted_at IS NOT NULL
    UNION
    SELECT lifted.objection_id FROM ctct_objection AS lifted
    WHERE
        lifted.constant_contact_id = %(constant_contact_id)s::text
        AND lifted.lifted_at IS NOT NULL
) AS known
INNER JOIN ctct_objection AS objection ON known.objection_id = objection.objection_id
LEFT JOIN ctct_link AS link ON objection.contact_id = link.contact_id
ORDER BY objection.lifted_at IS NULL DESC, objection.objected_at DESC, objection.objection_id DESC
LIMIT %(most)s;
