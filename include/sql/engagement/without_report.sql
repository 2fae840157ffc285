-- Which activities have no report by the vendor's own word: of a role that the contract does not
-- name, and none of their streams could ever be read.
-- Parameters: reported_roles (whose reports there must be). Grain: one row an activity.
SELECT
    activity.campaign_activity_id,
    activity.campaign_id,
    activity.role,
    min(stream.no_report_since) AS since,
    min(
        stream.failed_at
        + greatest((stream.failed_at - stream.no_report_since) * 0.9, INTERVAL '20 hours')
    ) AS next_at,
    min(stream.failure) AS failure
FROM ctct_campaign_activity AS activity
INNER JOIN ctct_engagement_stream AS stream
    ON activity.campaign_activity_id = stream.campaign_activity_id
WHERE activity.role <> all(%(reported_roles)s)
GROUP BY activity.campaign_activity_id, activity.campaign_id, activity.role
HAVING count(stream.covered_to) = 0 AND count(stream.no_report_since) > 0
ORDER BY activity.campaign_activity_id;
