-- Hear the CRM's flags: one objection for each contact, link and address that has it; and beside
-- the flag that the contact asked for it, once for as long as the flag stays set.
-- Parameters: contact_ids (null: all). Grain: one row a CRM contact and objection.
INSERT INTO ctct_objection (
    source, contact_id, constant_contact_id, email_digest, objected_at, reason
)
SELECT
    told.source,
    link.contact_id,
    link.constant_contact_id,
    ctct_email_digest(link.email_key),
    clock_timestamp(),
    link.opt_out_reason
FROM ctct_link AS link
CROSS JOIN
    LATERAL (
        SELECT 'flag' AS source
        WHERE
            NOT EXISTS (
                SELECT FROM ctct_objection AS heard
                WHERE
                    heard.contact_id = link.contact_id
                    AND heard.lifted_at IS NULL
                    AND heard.source = 'flag'
                    AND heard.constant_contact_id IS NOT DISTINCT FROM link.constant_contact_id
                    AND heard.email_digest IS NOT DISTINCT FROM ctct_email_digest(link.email_key)
            )
        UNION ALL
        SELECT 'asked' AS source
        WHERE
            link.requested_by_contact
            AND NOT EXISTS (
                SELECT FROM ctct_objection AS heard
                WHERE
                    heard.contact_id = link.contact_id
                    AND heard.source = 'asked'
                    AND (
                        heard.lifted_at IS NULL
                        OR EXISTS (
                            SELECT FROM ctct_objection AS flag
                            WHERE
                                flag.contact_id = link.contact_id
                                AND flag.source = 'flag'
                                AND flag.lifted_at IS NULL
                                AND flag.objected_at <= heard.lifted_at
                        )
                    )
            )
    ) AS told
WHERE
    link.do_not_email
    AND (%(contact_ids)s::text[] IS NULL OR link.contact_id = any(%(contact_ids)s::text[]));
