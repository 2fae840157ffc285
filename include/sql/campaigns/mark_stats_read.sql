-- Keep when the exact counts of activities were asked for.
-- Parameters: campaign_activity_id (array), read_at. Grain: one row an activity.
UPDATE ctct_campaign_activity
SET stats_refreshed_at = %(read_at)s
WHERE campaign_activity_id = ANY(%(campaign_activity_id)s::text[]);
