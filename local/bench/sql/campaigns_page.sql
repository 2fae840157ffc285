-- What nights leave of %(campaigns)s campaigns, read stream by stream: the first one was sent to all
-- of %(contacts)s contacts, each other one to %(sends)s. Six of ten sends are opened, one in six is
-- clicked; what Constant Contact counts is what is stored.
INSERT INTO ctct_engagement (
    stream_id, ordinal, occurred_at, contact_id, url_id, link_url, device_type, bounce_code
)
SELECT
    stream.stream_id,
    1,
    campaign.last_sent_at
    + INTERVAL '30 days' * power((event.number * 7919 %% 1000) / 1000.0, stream.power),
    md5((1 + (stream.stream_id * 31 + event.number * 7919) %% %(contacts)s)::text)::uuid::text,
    CASE WHEN stream.activity_type = 'click' THEN 'url-' || event.number %% 20 ELSE '' END,
    CASE
        WHEN stream.activity_type = 'click'
            THEN 'https://www.example.com/page-' || event.number %% 20
    END,
    CASE WHEN stream.activity_type IN ('open', 'click') THEN 'mobile' END,
    CASE WHEN stream.activity_type = 'bounce' THEN 'F' END
FROM (
    SELECT
        stream_id,
        campaign_activity_id,
        activity_type,
        CASE activity_type WHEN 'send' THEN 20 WHEN 'bounce' THEN 20 ELSE 5 END AS power,
        CASE
            activity_type WHEN 'send' THEN 1.0 WHEN 'open' THEN 0.6 WHEN 'click' THEN 0.17
            WHEN 'bounce' THEN 0.04 WHEN 'opt_out' THEN 0.008 ELSE 0.0
        END AS share
    FROM ctct_engagement_stream
) AS stream
INNER JOIN ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id
INNER JOIN ctct_campaign AS campaign ON activity.campaign_id = campaign.campaign_id
CROSS JOIN LATERAL generate_series(
    1::bigint,
    (
        stream.share
        * CASE campaign.campaign_id WHEN 'campaign-1' THEN %(contacts)s ELSE %(sends)s END
    )::bigint
) AS event (number)
ORDER BY stream.stream_id;

UPDATE ctct_engagement_stream AS stream
SET
    reported_count = stored.events,
    read_count = stored.events,
    stored_count = stored.events,
    covered_to = now(),
    mirrored_at = now()
FROM (
    SELECT
        stream_id,
        count(event_id) AS events
    FROM ctct_engagement_stream
    LEFT JOIN ctct_engagement USING (stream_id)
    GROUP BY stream_id
) AS stored
WHERE stream.stream_id = stored.stream_id;

UPDATE ctct_campaign SET moved_at = now(), type = 'Newsletter', current_status = 'Done';

INSERT INTO ctct_campaign_count (
    campaign_id, activity_type, vendor_count, counted_at, changed_at, noted_count, noted_at
)
SELECT
    activity.campaign_id,
    stream.activity_type,
    stream.stored_count,
    now(),
    now(),
    stream.stored_count,
    now()
FROM ctct_engagement_stream AS stream
INNER JOIN ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id;
