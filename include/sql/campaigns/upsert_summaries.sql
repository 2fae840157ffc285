-- Mirror a page of the summary report. Parameters: arrays, one a column of SummaryRecord;
-- mirrored_at. Grain: one row a campaign; `moved_at` tells when its figures last changed.
INSERT INTO ctct_campaign AS mirrored (
    campaign_id, type, last_sent_at, unique_sends, unique_opens, unique_clicks, unique_bounces,
    unique_forwards, unique_opt_outs, moved_at, mirrored_at
)
SELECT DISTINCT ON (campaign_id)
    campaign_id,
    type,
    last_sent_at,
    unique_sends,
    unique_opens,
    unique_clicks,
    unique_bounces,
    unique_forwards,
    unique_opt_outs,
    %(mirrored_at)s,
    %(mirrored_at)s
FROM
    unnest(
        %(campaign_id)s::text[], %(type)s::text[], %(last_sent_at)s::timestamptz[],
        %(unique_sends)s::integer[], %(unique_opens)s::integer[], %(unique_clicks)s::integer[],
        %(unique_bounces)s::integer[], %(unique_forwards)s::integer[],
        %(unique_opt_outs)s::integer[]
    )
        AS page (
            campaign_id,
            type,
            last_sent_at,
            unique_sends,
            unique_opens,
            unique_clicks,
            unique_bounces,
            unique_forwards, unique_opt_outs
        )
ORDER BY campaign_id
ON CONFLICT (campaign_id) DO UPDATE SET
    last_sent_at = excluded.last_sent_at,
    unique_sends = excluded.unique_sends,
    unique_opens = excluded.unique_opens,
    unique_clicks = excluded.unique_clicks,
    unique_bounces = excluded.unique_bounces,
    unique_forwards = excluded.unique_forwards,
    unique_opt_outs = excluded.unique_opt_outs,
    moved_at = CASE
        WHEN
            (
                mirrored.last_sent_at, mirrored.unique_sends, mirrored.unique_opens,
                mirrored.unique_clicks, mirrored.unique_bounces, mirrored.unique_forwards,
                mirrored.unique_opt_outs
            ) IS DISTINCT FROM (
                excluded.last_sent_at, excluded.unique_sends, excluded.unique_opens,
                excluded.unique_clicks, excluded.unique_bounces, excluded.unique_forwards,
                excluded.unique_opt_outs
            )
            THEN excluded.mirrored_at
        ELSE mirrored.moved_at
    END,
    mirrored_at = excluded.mirrored_at;
