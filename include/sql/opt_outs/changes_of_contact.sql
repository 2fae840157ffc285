-- A contact's changes of Do Not Email, the newest first, each with what was decided about it.
-- Parameters: contact_id, most. Grain: one row a change and decision; a change without any has one.
SELECT
    change.change_id,
    change.changed_at,
    change.do_not_email,
    change.reason,
    change.requested_by_contact,
    change.changed_by,
    change.status,
    change.detail,
    consent.decided_at,
    consent.decision,
    consent.detail AS decision_detail,
    consent.decided_by,
    consent.permission_before,
    consent.permission_after
FROM crm_opt_out_change AS change
LEFT JOIN ctct_consent AS consent ON change.change_id = consent.change_id
WHERE change.contact_id = %(contact_id)s
ORDER BY change.change_id DESC, consent.consent_id DESC
LIMIT %(most)s;
