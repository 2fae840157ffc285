-- Mirror the activities of campaigns. Parameters: arrays, one a column of
-- CampaignActivityRecord; mirrored_at. Grain: one row an activity.
INSERT INTO ctct_campaign_activity (campaign_activity_id, campaign_id, role, mirrored_at)
SELECT DISTINCT ON (campaign_activity_id)
    campaign_activity_id,
    campaign_id,
    role,
    %(mirrored_at)s
FROM
    unnest(
        %(campaign_activity_id)s::text[], %(campaign_id)s::text[], %(role)s::text[]
    ) AS page (campaign_activity_id, campaign_id, role)
ORDER BY campaign_activity_id
ON CONFLICT (campaign_activity_id) DO UPDATE SET
    role = excluded.role,
    mirrored_at = excluded.mirrored_at;
