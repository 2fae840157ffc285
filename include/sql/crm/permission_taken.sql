-- What the vendor might send a contact before the last opt-out that we carried.
-- Parameters: contact_id, constant_contact_id. Grain: one row, or none where we carried none.
SELECT consent.permission_before
FROM crm_opt_out_change AS carried
INNER JOIN ctct_consent AS consent ON carried.change_id = consent.change_id
WHERE
    consent.decision = 'unsubscribed'
    AND consent.constant_contact_id = %(constant_contact_id)s
    AND (
        carried.contact_id = %(contact_id)s
        OR carried.contact_id IN (
            SELECT same.contact_id
            FROM crm_contact AS same
            WHERE same.constant_contact_id = %(constant_contact_id)s
        )
    )
ORDER BY consent.consent_id DESC
LIMIT 1;
