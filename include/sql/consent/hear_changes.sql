-- Hear the objections of waiting changes: what the contact asked for, whatever came after it; and
-- the flag, unless it is cleared now. Null, absence, and a contact that left take nothing back.
-- Parameters: contact_ids (null: all). Grain: one row a change and objection.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by, change_id
)
SELECT
    told.source,
    change.contact_id,
    coalesce(link.constant_contact_id, change.constant_contact_id, gone.constant_contact_id),
    coalesce(change.email_digest, ctct_email_digest(link.email_key)),
    change.changed_at,
    change.reason,
    change.changed_by,
    change.change_id
FROM crm_opt_out_change AS change
LEFT JOIN ctct_link AS link ON change.contact_id = link.contact_id
LEFT JOIN ctct_left_contact AS gone ON change.contact_id = gone.contact_id
CROSS JOIN
    LATERAL (
        SELECT 'asked' AS source
        WHERE change.requested_by_contact
        UNION ALL
        SELECT 'flag' AS source
        WHERE link.do_not_email IS NOT FALSE OR link.absence_hold_id IS NOT NULL
    ) AS told
WHERE
    change.status IN ('pending', 'held')
    AND change.do_not_email
    AND NOT change.is_found
    AND (%(contact_ids)s::text[] IS NULL OR change.contact_id = any(%(contact_ids)s::text[]))
ON CONFLICT (change_id, source) WHERE change_id IS NOT NULL DO NOTHING;
