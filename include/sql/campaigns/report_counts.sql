-- Keep what the stats report counts in each stream. Parameters: arrays campaign_activity_id,
-- activity_type, reported_count. Grain: one row a stream.
UPDATE ctct_engagement_stream AS stream
SET reported_count = stats.reported_count
FROM
    unnest(
        %(campaign_activity_id)s::text[], %(activity_type)s::text[], %(reported_count)s::integer[]
    ) AS stats (campaign_activity_id, activity_type, reported_count)
WHERE
    stream.campaign_activity_id = stats.campaign_activity_id
    AND stream.activity_type = stats.activity_type;
