-- What a contact objected to holds for the contact that it was merged into.
-- Grain: one row an objection.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by
)
SELECT DISTINCT
    objection.source,
    kept.contact_id,
    kept.constant_contact_id,
    ctct_email_digest(kept.email_key),
    objection.objected_at,
    objection.reason,
    objection.told_by
FROM ctct_link AS merged
INNER JOIN ctct_objection AS objection ON merged.contact_id = objection.contact_id
INNER JOIN ctct_link AS kept ON merged.merged_into = kept.contact_id
WHERE
    merged.merged_into IS NOT NULL
    AND objection.lifted_at IS NULL
    AND objection.source IN ('flag', 'asked')
    AND NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.contact_id = kept.contact_id
            AND heard.source = objection.source
            AND heard.objected_at = objection.objected_at
    );
