-- Hear the opt-outs that the mirror shows, but for those that we made: a PUT or a creation of ours
-- took the permission, and the vendor dates no opt-out after it; or a PUT whose answer was lost may
-- have. The vendor's clock and ours may differ by an hour.
-- Parameters: constant_contact_id (null: all). Grain: one row a Constant Contact contact.
INSERT INTO ctct_objection (
    source, constant_contact_id, email_digest, objected_at, reason
)
SELECT
    CASE mirrored.opt_out_source WHEN 'Account' THEN 'vendor_account' ELSE 'vendor_contact' END,
    mirrored.contact_id,
    ctct_email_digest(mirrored.email_key),
    coalesce(mirrored.opt_out_date, mirrored.mirrored_at),
    mirrored.opt_out_reason
FROM ctct_contact AS mirrored
WHERE
    mirrored.permission_to_send = 'unsubscribed'
    AND mirrored.deleted_at IS NULL
    AND (
        %(constant_contact_id)s::text IS NULL
        OR mirrored.contact_id = %(constant_contact_id)s::text
    )
    AND NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.constant_contact_id = mirrored.contact_id
            AND (
                heard.lifted_at IS NULL
                -- What a person lifted is heard again only if the vendor dates a later opt-out.
                OR (heard.lifted_by IS NOT NULL AND heard.objected_at >= mirrored.opt_out_date)
            )
            AND heard.source
            = CASE mirrored.opt_out_source
                WHEN 'Account' THEN 'vendor_account' ELSE 'vendor_contact'
            END
    )
    AND NOT EXISTS (
        SELECT FROM ctct_consent AS ours
        WHERE
            ours.constant_contact_id = mirrored.contact_id
            AND ours.permission_after = 'unsubscribed'
            -- Or it made the account's opt-out, which was heard before unless it was ours, the
            -- contact's own.
            AND (
                ours.permission_before IS DISTINCT FROM 'unsubscribed'
                OR ours.decision = 'unsubscribed'
            )
            -- A source that is not shown contradicts nothing.
            AND coalesce(mirrored.opt_out_source, ours.opt_out_source_after, 'Account')
            = coalesce(ours.opt_out_source_after, 'Account')
            AND (
                mirrored.opt_out_date IS NULL
                OR mirrored.opt_out_date <= ours.decided_at + interval '1 hour'
            )
            -- An opt-in since then ended it.
            AND coalesce(mirrored.opt_in_date <= ours.decided_at, TRUE)
            AND NOT EXISTS (
                SELECT FROM ctct_consent AS later
                WHERE
                    later.constant_contact_id = ours.constant_contact_id
                    AND later.consent_id > ours.consent_id
                    AND later.decision = 'resubscribed'
            )
    )
    AND NOT EXISTS (
        SELECT FROM ctct_consent AS sent
        INNER JOIN crm_opt_out_change AS change ON sent.change_id = change.change_id
        WHERE
            sent.constant_contact_id = mirrored.contact_id
            AND sent.decision = 'unsubscribing'
            AND (
                sent.opt_out_source_after = 'Contact'
                OR mirrored.opt_out_source IS DISTINCT FROM 'Contact'
            )
            AND coalesce(
                mirrored.opt_out_date BETWEEN sent.decided_at - interval '1 hour'
                AND sent.decided_at + interval '1 hour',
                change.status = 'pending'
            )
            AND NOT ctct_is_answered(sent.change_id, sent.consent_id)
    );
