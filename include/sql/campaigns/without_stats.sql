-- Which activities' exact counts should be asked for. `must`: those of campaigns that can still
-- move (as one may whose last sending has no date), that moved since they were last asked for, or
-- that were never asked for. The others are due ever more rarely, when a tenth of their age has
-- passed: unique counts, by which the summary tells what moved, stand still when someone opens
-- again. A campaign that the summary leaves out is as old as its last change.
-- Parameters: unreported_roles, now, active_days. Grain: one row an activity.
SELECT
    activity.campaign_activity_id,
    activity.stats_refreshed_at IS NULL
    OR coalesce(campaign.moved_at >= activity.stats_refreshed_at, FALSE)
    OR coalesce(
        campaign.active_at >= %(now)s - make_interval(days => %(active_days)s), TRUE
    ) AS must
FROM ctct_campaign_activity AS activity
INNER JOIN (
    SELECT
        campaign_id,
        moved_at,
        coalesce(last_sent_at, CASE WHEN moved_at IS NULL THEN updated_at END) AS active_at
    FROM ctct_campaign
) AS campaign ON activity.campaign_id = campaign.campaign_id
WHERE
    coalesce(activity.role <> all(%(unreported_roles)s), TRUE)
    AND (
        activity.stats_refreshed_at IS NULL
        OR campaign.moved_at >= activity.stats_refreshed_at
        OR coalesce(
            campaign.active_at >= %(now)s - make_interval(days => %(active_days)s), TRUE
        )
        OR %(now)s - activity.stats_refreshed_at
        >= greatest((%(now)s - campaign.active_at) / 10, INTERVAL '1 day')
    )
ORDER BY
    must DESC,
    activity.stats_refreshed_at + (%(now)s - campaign.active_at) / 10 ASC NULLS FIRST,
    activity.campaign_activity_id;
