-- What the vendor might send a contact before an opt-out of ours last took it away, whichever CRM
-- contact that was for. Parameters: constant_contact_id. Grain: one row, or none where none did.
SELECT permission_before
FROM ctct_consent
WHERE
    constant_contact_id = %(constant_contact_id)s
    AND permission_before IS DISTINCT FROM 'unsubscribed'
    AND decision <> 'created'
    AND (decision IN ('unsubscribed', 'unsubscribing') OR permission_after = 'unsubscribed')
ORDER BY consent_id DESC
LIMIT 1;
