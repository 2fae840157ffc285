-- How many streams the vendor refuses. Grain: one row.
SELECT count(*) AS streams FROM ctct_engagement_stream
WHERE failed_at IS NOT NULL;
