-- Hear the CRM's flags: one objection for each contact, link and address that has it. What the
-- contact asked for is heard as that once; a flag that stays when the contact opted in is the
-- CRM's.
-- Parameters: contact_ids (null: all). Grain: one row a CRM contact.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason
)
SELECT
    CASE
        WHEN
            link.requested_by_contact
            AND NOT EXISTS (
                SELECT FROM ctct_objection AS asked
                WHERE asked.contact_id = link.contact_id AND asked.source = 'asked'
            )
            THEN 'asked'
        ELSE 'flag'
    END,
    link.contact_id,
    link.constant_contact_id,
    ctct_email_digest(link.email_key),
    clock_timestamp(),
    link.opt_out_reason
FROM ctct_link AS link
WHERE
    link.do_not_email
    AND (%(contact_ids)s::text[] IS NULL OR link.contact_id = any(%(contact_ids)s::text[]))
    AND NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.contact_id = link.contact_id
            AND heard.lifted_at IS NULL
            AND heard.source IN ('flag', 'asked')
            AND heard.constant_contact_id IS NOT DISTINCT FROM link.constant_contact_id
            AND heard.email_digest IS NOT DISTINCT FROM ctct_email_digest(link.email_key)
    );
