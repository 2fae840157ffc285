-- name: count_unreported
-- Which campaigns exist that the API reports nothing of: A/B tests, and those that are done by
-- their status but that the summary report does not have (automated ones).
-- Parameters: ab_test_type_code. Grain: one row.
SELECT
    count(*) FILTER (WHERE type_code = %(ab_test_type_code)s) AS ab_tests,
    count(*) FILTER (
        WHERE
        type_code IS DISTINCT FROM %(ab_test_type_code)s
        AND moved_at IS NULL
        AND current_status IN ('Done', 'Executing')
    ) AS automated
FROM ctct_campaign;

-- name: count_unknown
-- How many activities and campaigns have a role or a status that the contract does not name.
-- Parameters: roles, statuses (those that it names).
-- Grain: one row a noun (role, status) and value.
SELECT
    'role' AS noun,
    role AS value,
    count(*) AS count
FROM ctct_campaign_activity
WHERE role <> all(%(roles)s)
GROUP BY role
UNION ALL
SELECT
    'status',
    current_status,
    count(*)
FROM ctct_campaign
WHERE current_status <> all(%(statuses)s)
GROUP BY current_status
ORDER BY noun, value;

-- name: upsert_summaries
-- Mirror a page of the summary report, whose counts are noted already.
-- Parameters: arrays, one a column of SummaryRecord (unique_counts as jsonb); mirrored_at.
-- Grain: one row a campaign; `moved_at` tells when its figures last changed.
INSERT INTO ctct_campaign AS mirrored (
    campaign_id, type, last_sent_at, unique_sends, unique_opens, unique_clicks, unique_bounces,
    unique_forwards, unique_opt_outs, moved_at, mirrored_at
)
SELECT DISTINCT ON (campaign_id)
    campaign_id,
    type,
    last_sent_at,
    (unique_counts ->> 'send')::integer,
    (unique_counts ->> 'open')::integer,
    (unique_counts ->> 'click')::integer,
    (unique_counts ->> 'bounce')::integer,
    (unique_counts ->> 'forward')::integer,
    (unique_counts ->> 'opt_out')::integer,
    %(mirrored_at)s,
    %(mirrored_at)s
FROM
    unnest(
        %(campaign_id)s::text[], %(type)s::text[], %(last_sent_at)s::timestamptz[],
        %(unique_counts)s::jsonb[]
    ) AS page (campaign_id, type, last_sent_at, unique_counts)
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
            mirrored.last_sent_at IS DISTINCT FROM excluded.last_sent_at
            OR excluded.campaign_id IN (
                SELECT counted.campaign_id
                FROM ctct_campaign_count AS counted
                WHERE
                    counted.campaign_id = any(%(campaign_id)s::text[])
                    AND counted.changed_at = %(mirrored_at)s
            )
            THEN excluded.mirrored_at
        ELSE mirrored.moved_at
    END,
    mirrored_at = excluded.mirrored_at;

-- name: upsert_page
-- Mirror campaigns. Parameters: arrays, one a column of CampaignRecord; mirrored_at.
-- Grain: one row a campaign. What the summary report says of it, and what is left out now and was
-- said before, stay as they are.
INSERT INTO ctct_campaign AS mirrored (
    campaign_id, name, type, type_code, current_status, created_at, updated_at, mirrored_at
)
SELECT DISTINCT ON (campaign_id)
    campaign_id,
    name,
    type,
    type_code,
    current_status,
    created_at,
    updated_at,
    %(mirrored_at)s
FROM
    unnest(
        %(campaign_id)s::text[], %(name)s::text[], %(type)s::text[], %(type_code)s::integer[],
        %(current_status)s::text[], %(created_at)s::timestamptz[], %(updated_at)s::timestamptz[]
    ) AS page (campaign_id, name, type, type_code, current_status, created_at, updated_at)
ORDER BY campaign_id
ON CONFLICT (campaign_id) DO UPDATE SET
    name = coalesce(excluded.name, mirrored.name),
    type = coalesce(excluded.type, mirrored.type),
    type_code = coalesce(excluded.type_code, mirrored.type_code),
    current_status = coalesce(excluded.current_status, mirrored.current_status),
    created_at = coalesce(excluded.created_at, mirrored.created_at),
    updated_at = coalesce(excluded.updated_at, mirrored.updated_at),
    mirrored_at = excluded.mirrored_at;

-- name: without_activities
-- Which campaigns' activities must be asked for: sent, as the summary report has them, and not
-- asked since they were last sent; where it does not say when, not since they last moved. Also
-- those of a status that the contract does not name, which may have been sent: once, and again
-- when they change.
-- Parameters: ab_test_type_code (the API reports nothing of those), statuses (those that the
-- contract names). Grain: one row a campaign.
SELECT campaign_id
FROM ctct_campaign
WHERE
    type_code IS DISTINCT FROM %(ab_test_type_code)s
    AND (moved_at IS NOT NULL OR coalesce(current_status <> all(%(statuses)s), TRUE))
    AND (
        activities_read_at IS NULL
        OR activities_last_sent_at IS DISTINCT FROM last_sent_at
        OR (last_sent_at IS NULL AND coalesce(moved_at, updated_at) > activities_read_at)
    )
ORDER BY last_sent_at DESC NULLS LAST, campaign_id ASC;

-- name: upsert_activities
-- Mirror the activities of campaigns. Parameters: arrays, one a column of
-- CampaignActivityRecord; mirrored_at. Grain: one row an activity.
INSERT INTO ctct_campaign_activity (campaign_activity_id, campaign_id, role, mirrored_at)
SELECT DISTINCT ON (campaign_activity_id)
    campaign_activity_id,
    campaign_id,
    role,
    %(mirrored_at)s
FROM
    unnest(
        %(campaign_activity_id)s::text[], %(campaign_id)s::text[], %(role)s::text[]
    ) AS page (campaign_activity_id, campaign_id, role)
ORDER BY campaign_activity_id
ON CONFLICT (campaign_activity_id) DO UPDATE SET
    role = excluded.role,
    mirrored_at = excluded.mirrored_at;

-- name: add_streams
-- Make the streams of activities, where they are not made yet.
-- Parameters: campaign_activity_id and activity_type, arrays. Grain: one row a stream.
INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type)
SELECT
    activity.campaign_activity_id,
    tracker.activity_type
FROM unnest(%(campaign_activity_id)s::text[]) AS activity (campaign_activity_id)
CROSS JOIN unnest(%(activity_type)s::text[]) AS tracker (activity_type)
ON CONFLICT (campaign_activity_id, activity_type) DO NOTHING;

-- name: mark_activities_read
-- Keep that a campaign's activities are known as of its last sending.
-- Parameters: campaign_id, read_at. Grain: one row.
UPDATE ctct_campaign
SET activities_read_at = %(read_at)s, activities_last_sent_at = last_sent_at
WHERE campaign_id = %(campaign_id)s;

-- name: without_stats
-- Which activities' exact counts should be asked for. `must`: those of campaigns that can still
-- move (as one may whose last sending has no date), that moved since they were last asked for, or
-- that were never asked for. The others are due ever more rarely, when a tenth of their age has
-- passed: unique counts, by which the summary tells what moved, stand still when someone opens
-- again. A campaign that the summary leaves out is as old as its last change.
-- Parameters: unreported_roles, now, active_days. Grain: one row an activity.
SELECT
    activity.campaign_activity_id,
    activity.stats_refreshed_at IS NULL
    OR coalesce(campaign.moved_at >= activity.stats_refreshed_at, FALSE)
    OR coalesce(
        campaign.active_at >= %(now)s - make_interval(days => %(active_days)s), TRUE
    ) AS must
FROM ctct_campaign_activity AS activity
INNER JOIN (
    SELECT
        campaign_id,
        moved_at,
        coalesce(last_sent_at, CASE WHEN moved_at IS NULL THEN updated_at END) AS active_at
    FROM ctct_campaign
) AS campaign ON activity.campaign_id = campaign.campaign_id
WHERE
    coalesce(activity.role <> all(%(unreported_roles)s), TRUE)
    AND (
        activity.stats_refreshed_at IS NULL
        OR campaign.moved_at >= activity.stats_refreshed_at
        OR coalesce(
            campaign.active_at >= %(now)s - make_interval(days => %(active_days)s), TRUE
        )
        OR %(now)s - activity.stats_refreshed_at
        >= greatest((%(now)s - campaign.active_at) / 10, interval '1 day')
    )
ORDER BY
    must DESC,
    activity.stats_refreshed_at + (%(now)s - campaign.active_at) / 10 ASC NULLS FIRST,
    activity.campaign_activity_id;

-- name: report_counts
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

-- name: mark_stats_read
-- Keep when the exact counts of activities were asked for.
-- Parameters: campaign_activity_id (array), read_at. Grain: one row an activity.
UPDATE ctct_campaign_activity
SET stats_refreshed_at = %(read_at)s
WHERE campaign_activity_id = any(%(campaign_activity_id)s::text[]);

-- name: take_renamed
-- Which streams are of campaigns with another name than their interactions have; keep that name.
-- Grain: one row a stream.
WITH named AS (
    UPDATE ctct_campaign AS campaign
    SET projected_name = coalesce(campaign.name, '')
    FROM ctct_campaign AS before
    WHERE
        campaign.campaign_id = before.campaign_id
        AND campaign.projected_name IS DISTINCT FROM coalesce(campaign.name, '')
    RETURNING campaign.campaign_id, before.projected_name IS NOT NULL AS was_projected
)

SELECT stream.stream_id
FROM named
INNER JOIN ctct_campaign_activity AS activity ON named.campaign_id = activity.campaign_id
INNER JOIN ctct_engagement_stream AS stream
    ON activity.campaign_activity_id = stream.campaign_activity_id
WHERE named.was_projected AND stream.stored_count > 0;
