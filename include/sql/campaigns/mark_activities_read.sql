-- Keep that a campaign's activities are known as of its last sending.
-- Parameters: campaign_id, read_at. Grain: one row.
UPDATE ctct_campaign
SET activities_read_at = %(read_at)s, activities_last_sent_at = last_sent_at
WHERE campaign_id = %(campaign_id)s;
