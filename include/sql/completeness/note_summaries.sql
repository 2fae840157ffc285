-- Keep what a page of the summary report counts, and what it counted a day ago. A count that is
-- left out stays as it was. Parameters: arrays campaign_id and one a unique count; mirrored_at.
-- Grain: one row a campaign and activity type.
INSERT INTO ctct_campaign_count AS known (
    campaign_id, activity_type, vendor_count, counted_at, changed_at, noted_count, noted_at
)
SELECT DISTINCT ON (page.campaign_id, told.activity_type)
    page.campaign_id,
    told.activity_type,
    told.vendor_count,
    %(mirrored_at)s,
    %(mirrored_at)s,
    told.vendor_count,
    %(mirrored_at)s
FROM
    unnest(
        %(campaign_id)s::text[], %(unique_sends)s::integer[], %(unique_opens)s::integer[],
        %(unique_clicks)s::integer[], %(unique_bounces)s::integer[], %(unique_forwards)s::integer[],
        %(unique_opt_outs)s::integer[]
    ) AS page (campaign_id, sends, opens, clicks, bounces, forwards, opt_outs)
CROSS JOIN
    LATERAL (
        VALUES
        ('send', page.sends),
        ('open', page.opens),
        ('click', page.clicks),
        ('bounce', page.bounces),
        ('forward', page.forwards),
        ('opt_out', page.opt_outs)
    ) AS told (activity_type, vendor_count)
WHERE told.vendor_count IS NOT NULL
ORDER BY page.campaign_id, told.activity_type
ON CONFLICT (campaign_id, activity_type) DO UPDATE SET
    vendor_count = excluded.vendor_count,
    counted_at = excluded.counted_at,
    changed_at = CASE
        WHEN known.vendor_count = excluded.vendor_count THEN known.changed_at
        ELSE excluded.changed_at
    END,
    noted_count = CASE
        WHEN known.noted_at <= excluded.counted_at - interval '20 hours' THEN excluded.vendor_count
        ELSE known.noted_count
    END,
    noted_at = CASE
        WHEN known.noted_at <= excluded.counted_at - interval '20 hours' THEN excluded.counted_at
        ELSE known.noted_at
    END,
    due_count = CASE
        WHEN known.noted_at <= excluded.counted_at - interval '20 hours' THEN known.noted_count
        ELSE known.due_count
    END;
