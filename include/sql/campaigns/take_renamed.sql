-- Which streams are of campaigns with another name than their interactions have; keep that name.
-- Grain: one row a stream.
WITH named AS (
    UPDATE ctct_campaign AS campaign
    SET projected_name = coalesce(campaign.name, '')
    FROM ctct_campaign AS before
    WHERE
        campaign.campaign_id = before.campaign_id
        AND campaign.projected_name IS DISTINCT FROM coalesce(campaign.name, '')
    RETURNING campaign.campaign_id, before.projected_name IS NOT NULL AS was_projected
)

SELECT stream.stream_id
FROM named
INNER JOIN ctct_campaign_activity AS activity ON named.campaign_id = activity.campaign_id
INNER JOIN ctct_engagement_stream AS stream
    ON activity.campaign_activity_id = stream.campaign_activity_id
WHERE named.was_projected AND stream.stored_count > 0;
