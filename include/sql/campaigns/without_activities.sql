-- Which campaigns' activities must be asked for: sent, as the summary report has them, and not
-- asked since they were last sent; where it does not say when, not since they last moved. Also
-- those of a status that the contract does not name, which may have been sent: once, and again
-- when they change.
-- Parameters: ab_test_type_code (the API reports nothing of those), statuses (those that the
-- contract names). Grain: one row a campaign.
SELECT campaign_id
FROM ctct_campaign
WHERE
    type_code IS DISTINCT FROM %(ab_test_type_code)s
    AND (moved_at IS NOT NULL OR coalesce(current_status <> all(%(statuses)s), TRUE))
    AND (
        activities_read_at IS NULL
        OR activities_last_sent_at IS DISTINCT FROM last_sent_at
        OR (last_sent_at IS NULL AND coalesce(moved_at, updated_at) > activities_read_at)
    )
ORDER BY last_sent_at DESC NULLS LAST, campaign_id ASC;
