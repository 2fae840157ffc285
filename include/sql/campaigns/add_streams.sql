-- Make the six streams of activities, where they are not made yet.
-- Parameters: campaign_activity_id and activity_type, arrays. Grain: one row a stream.
INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type)
SELECT
    activity.campaign_activity_id,
    tracker.activity_type
FROM unnest(%(campaign_activity_id)s::text[]) AS activity (campaign_activity_id)
CROSS JOIN unnest(%(activity_type)s::text[]) AS tracker (activity_type)
ON CONFLICT (campaign_activity_id, activity_type) DO NOTHING;
