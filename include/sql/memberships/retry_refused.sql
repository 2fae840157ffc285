-- Requests that Constant Contact refused, or that were blocked on the way, are tried again: an
-- address may be refused for two days only. After 20 hours first, then each time after as long as
-- it has been tried already, for sixty days. The request keeps its time, by a hair, since it is no
-- newer wish; and what was asked for before the CRM was restored is tried again by a person only.
-- Grain: one row a request.
UPDATE crm_list_membership AS membership
SET
    status = 'pending',
    requested_at = membership.requested_at + INTERVAL '1 microsecond'
WHERE
    membership.status IN ('rejected', 'failed')
    AND (
        membership.status = 'failed'
        OR membership.refused_at >= membership.processed_at
    )
    AND clock_timestamp() - membership.processed_at
    > greatest(INTERVAL '20 hours', membership.processed_at - membership.requested_at)
    AND membership.processed_at > clock_timestamp() - INTERVAL '60 days'
    AND membership.requested_at > all(SELECT restored.settled_at FROM ctct_restore AS restored);
