-- Hear the objections of waiting changes: each that the contact asked for, whatever came after it;
-- another unless the CRM's flag is cleared now. Grain: one row a change.
-- Parameters: contact_ids (null: all).
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason, told_by, change_id
)
SELECT
    CASE WHEN change.requested_by_contact THEN 'asked' ELSE 'flag' END,
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
WHERE
    change.status IN ('pending', 'held')
    AND change.do_not_email
    AND NOT change.is_found
    AND (%(contact_ids)s::text[] IS NULL OR change.contact_id = any(%(contact_ids)s::text[]))
    -- Null, and a contact that left, take nothing back.
    AND (change.requested_by_contact OR link.do_not_email IS NOT FALSE)
ON CONFLICT (change_id) WHERE change_id IS NOT NULL DO NOTHING;
