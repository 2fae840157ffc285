-- Which streams the vendor refuses, or counts more events of than it lists.
-- Grain: one row a stream.
SELECT
    campaign_activity_id,
    activity_type,
    shortfall,
    CASE WHEN failed_at IS NOT NULL THEN failure END AS failure
FROM ctct_engagement_stream
WHERE failed_at IS NOT NULL OR shortfall > 0
ORDER BY stream_id;
