-- A person lifts an objection: one that the CRM told of, or the account's own at Constant Contact.
-- What a contact did at Constant Contact only the contact undoes, an erasure nobody; and a flag
-- that is set now is cleared in the CRM. Parameters: objection_id, lifted_by, evidence.
-- Grain: one row an objection.
UPDATE ctct_objection AS objection
SET
    lifted_at = clock_timestamp(),
    lifted_by = %(lifted_by)s,
    evidence = %(evidence)s
WHERE
    objection.objection_id = %(objection_id)s
    AND objection.lifted_at IS NULL
    AND objection.source IN ('flag', 'asked', 'vendor_account')
    AND NOT EXISTS (
        SELECT FROM ctct_link AS link
        WHERE link.contact_id = objection.contact_id AND link.do_not_email
    );
