-- Of which campaigns and activity types the ledger has another number of events than when its
-- contacts were last counted. Grain: one row a campaign and activity type: its events, its streams.
SELECT
    counted.campaign_id,
    counted.activity_type,
    coalesce(sum(of_stream.events), 0)::bigint AS events,
    coalesce(
        array_agg(DISTINCT of_stream.stream_id) FILTER (WHERE of_stream.events > 0), '{}'
    ) AS stream_ids
FROM ctct_campaign_count AS counted
LEFT JOIN ctct_campaign_activity AS activity ON counted.campaign_id = activity.campaign_id
LEFT JOIN ctct_engagement_stream AS stream
    ON
        activity.campaign_activity_id = stream.campaign_activity_id
        AND counted.activity_type = stream.activity_type
LEFT JOIN (
    SELECT
        stream_id,
        sum(events) AS events
    FROM ctct_engagement_day
    GROUP BY stream_id
) AS of_stream ON stream.stream_id = of_stream.stream_id
GROUP BY counted.campaign_id, counted.activity_type, counted.events
HAVING counted.events IS DISTINCT FROM coalesce(sum(of_stream.events), 0)
ORDER BY counted.campaign_id, counted.activity_type;
