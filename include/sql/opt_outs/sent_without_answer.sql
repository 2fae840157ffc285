-- The first PUT for a change that was about to be sent and of which nothing was heard since, if it
-- may have made the opt-out that is shown: by the same source, or one that the vendor leaves open,
-- and not long after it. Parameters: change_id, opt_out_source, opt_out_date.
-- Grain: one row, or none.
SELECT
    sent.permission_before,
    sent.opt_out_source_before
FROM ctct_consent AS sent
WHERE
    sent.change_id = %(change_id)s
    AND sent.decision = 'unsubscribing'
    AND (
        sent.opt_out_source_after = 'Contact'
        OR %(opt_out_source)s::text IS DISTINCT FROM 'Contact'
    )
    -- That the contact asks, too, is shown, or the PUT did not arrive.
    AND (
        sent.permission_before IS DISTINCT FROM 'unsubscribed'
        OR %(opt_out_source)s::text = 'Contact'
    )
    AND coalesce(%(opt_out_date)s::timestamptz <= sent.decided_at + interval '1 hour', TRUE)
    AND NOT ctct_is_answered(sent.change_id, sent.consent_id)
ORDER BY sent.consent_id
LIMIT 1;
