-- Which streams the vendor refuses, met an unexpected error, or have fewer events than it counts:
-- it counts more events of than it lists. An activity of a role
-- that the contract does not name need not have a report: where the vendor says so of all that was
-- asked, that is no trouble (engagement/without_report).
-- Parameters: reported_roles (whose reports there must be). Grain: one row a stream.
SELECT
    stream.campaign_activity_id,
    stream.activity_type,
    stream.shortfall,
    stream.failed_at IS NOT NULL AND stream.is_unexpected AS is_unexpected,
    CASE WHEN stream.failed_at IS NOT NULL THEN stream.failure END AS failure
FROM ctct_engagement_stream AS stream
INNER JOIN ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id
WHERE
    (stream.failed_at IS NOT NULL OR stream.shortfall > 0)
    AND (
        stream.no_report_since IS NULL
        OR coalesce(activity.role = any(%(reported_roles)s), TRUE)
        OR EXISTS (
            SELECT FROM ctct_engagement_stream AS sibling
            WHERE
                sibling.campaign_activity_id = stream.campaign_activity_id
                AND sibling.covered_to IS NOT NULL
        )
    )
ORDER BY stream.stream_id;
