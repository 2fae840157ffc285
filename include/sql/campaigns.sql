-- name: count_unreported
-- Which campaigns exist that the API reports nothing of: A/B tests, and those that are done by
-- their status but that the summary report does not have (automated ones); and those that it has
-- and whose activities the vendor refuses to name. Parameters: ab_test_type_code. Grain: one row.
SELECT
    count(*) FILTER (WHERE type_code = %(ab_test_type_code)s) AS ab_tests,
    count(*) FILTER (
        WHERE
        type_code IS DISTINCT FROM %(ab_test_type_code)s
        AND moved_at IS NULL
        AND current_status IN ('Done', 'Executing')
    ) AS automated,
    count(refused_at) AS refused
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
-- asked since they were last sent or changed, as a resend changes them; where it does not say when
-- they were sent, not since they last moved. Also those of a status that the contract does not
-- name, which may have been sent. One that the vendor refuses, as if removed, is asked for again by
-- the next run, when it changes, and else ever more rarely: when as long has passed again.
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
        OR updated_at > activities_read_at
        OR (last_sent_at IS NULL AND moved_at > activities_read_at)
    )
    AND (
        refused_at IS NULL
        OR refused_at = refused_since
        OR updated_at > refused_at
        OR refused_at + greatest((refused_at - refused_since) * 0.9, interval '20 hours')
        < clock_timestamp()
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
-- Keep that a campaign's activities are known as of its last sending. One that was sent within a
-- month and shows none with reports is asked again: they may come later than the summary.
-- Parameters: campaign_id, read_at, is_reported. Grain: one row.
UPDATE ctct_campaign
SET
    activities_read_at = CASE
        WHEN
            %(is_reported)s
            OR coalesce(last_sent_at < %(read_at)s - interval '30 days', TRUE)
            THEN %(read_at)s
    END,
    activities_last_sent_at = last_sent_at,
    refused_at = NULL,
    refused_since = NULL
WHERE campaign_id = %(campaign_id)s;

-- name: mark_refused
-- Keep that the vendor refuses to name a campaign's activities, and since when.
-- Parameters: campaign_id. Grain: one row.
UPDATE ctct_campaign
SET
    refused_at = statement_timestamp(),
    refused_since = coalesce(refused_since, statement_timestamp())
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

-- name: shown_campaigns
-- Campaigns as their page lists them, in no order: ours as they are compared with the summary
-- report, and the vendor's beside. Parameters: ab_test_type_code; search, state and campaign_id
-- ('': any).
-- Grain: one row a campaign. `state`: agree, differ (a finding), incomplete (fewer are here and it
-- is no finding: they are on their way, or reports are not read back to the beginning), not
-- compared, not reported (`unreported` says why).
WITH counted AS (
    SELECT
        compared.campaign_id,
        max(compared.our_count) FILTER (WHERE compared.activity_type = 'send') AS sends,
        max(compared.our_count) FILTER (WHERE compared.activity_type = 'open') AS opens,
        max(compared.automatic) FILTER (WHERE compared.activity_type = 'open') AS automatic,
        max(compared.our_count) FILTER (WHERE compared.activity_type = 'click') AS clicks,
        max(compared.our_count) FILTER (WHERE compared.activity_type = 'bounce') AS bounces,
        max(compared.our_count) FILTER (WHERE compared.activity_type = 'opt_out') AS opt_outs,
        max(compared.vendor_count) FILTER (WHERE compared.activity_type = 'send') AS vendor_sends,
        max(compared.vendor_count) FILTER (WHERE compared.activity_type = 'open') AS vendor_opens,
        max(compared.vendor_count) FILTER (WHERE compared.activity_type = 'click')
            AS vendor_clicks,
        max(compared.vendor_count) FILTER (WHERE compared.activity_type = 'bounce')
            AS vendor_bounces,
        max(compared.vendor_count) FILTER (WHERE compared.activity_type = 'opt_out')
            AS vendor_opt_outs,
        CASE
            WHEN count(found.subject_id) > 0 THEN 'differ'
            WHEN count(*) > count(compared.our_count) THEN 'not compared'
            WHEN bool_or(compared.vendor_count > compared.our_count) THEN 'incomplete'
            ELSE 'agree'
        END AS state
    FROM ctct_campaign_compared AS compared
    LEFT JOIN ctct_finding AS found
        ON
            found.noun = 'campaign'
            AND compared.campaign_id = found.subject_id
            AND compared.activity_type = found.kind
    GROUP BY compared.campaign_id
),

shown AS (
    SELECT
        campaign.campaign_id,
        campaign.last_sent_at AS sent_at,
        campaign.type AS kind,
        campaign.current_status AS status,
        coalesce(campaign.name, campaign.campaign_id) AS name,
        CASE
            WHEN campaign.moved_at IS NOT NULL THEN NULL
            WHEN campaign.type_code = %(ab_test_type_code)s THEN 'ab_test'
            WHEN campaign.current_status = 'Removed' THEN 'removed'
            WHEN campaign.current_status IN ('Draft', 'Scheduled') THEN 'not_sent'
            WHEN campaign.current_status IN ('Done', 'Executing') THEN 'automated'
            ELSE 'not_listed'
        END AS unreported
    FROM ctct_campaign AS campaign
    WHERE %(campaign_id)s = '' OR campaign.campaign_id = %(campaign_id)s
)

SELECT
    shown.campaign_id,
    shown.name,
    shown.kind,
    shown.sent_at,
    shown.status,
    shown.unreported,
    standing.state,
    counted.sends,
    counted.opens,
    counted.automatic,
    counted.clicks,
    counted.bounces,
    counted.opt_outs,
    counted.vendor_sends,
    counted.vendor_opens,
    counted.vendor_clicks,
    counted.vendor_bounces,
    counted.vendor_opt_outs,
    counted.opens::double precision
    / nullif(greatest(counted.sends - counted.bounces, 0), 0) AS open_rate,
    counted.clicks::double precision
    / nullif(greatest(counted.sends - counted.bounces, 0), 0) AS click_rate
FROM shown
LEFT JOIN counted ON shown.campaign_id = counted.campaign_id
CROSS JOIN
    LATERAL (
        SELECT
            CASE
                WHEN shown.unreported IS NOT NULL THEN 'not reported'
                ELSE coalesce(counted.state, 'not compared')
            END AS state
    ) AS standing
WHERE
    (%(search)s = '' OR strpos(lower(shown.name), lower(%(search)s)) > 0)
    AND (%(state)s = '' OR standing.state = %(state)s);

-- name: counts_of_campaign
-- What is counted of one campaign by activity type, on both sides, and the finding where they
-- differ. Parameters: campaign_id. Grain: one row an activity type that the vendor counted.
SELECT
    compared.activity_type,
    compared.vendor_count,
    compared.our_count,
    compared.events,
    compared.automatic,
    compared.counted_at,
    found.noun,
    found.reason,
    found.detail,
    found.found_at
FROM ctct_campaign_compared AS compared
LEFT JOIN ctct_finding AS found
    ON
        found.noun = 'campaign'
        AND compared.campaign_id = found.subject_id
        AND compared.activity_type = found.kind
WHERE compared.campaign_id = %(campaign_id)s;

-- name: days_of_campaign
-- Events of one campaign by day. Parameters: campaign_id.
-- Grain: one row a UTC day and activity type with events, the oldest first.
SELECT
    of_stream.day_utc,
    stream.activity_type,
    sum(of_stream.events)::bigint AS events
FROM ctct_campaign_activity AS activity
INNER JOIN ctct_engagement_stream AS stream
    ON activity.campaign_activity_id = stream.campaign_activity_id
INNER JOIN ctct_engagement_day AS of_stream ON stream.stream_id = of_stream.stream_id
WHERE activity.campaign_id = %(campaign_id)s AND of_stream.events > 0
GROUP BY of_stream.day_utc, stream.activity_type
ORDER BY of_stream.day_utc ASC, stream.activity_type ASC;

-- name: links_of_streams
-- The links of some reports by clicks. Parameters: stream_ids, as of events_of_streams; most.
-- Grain: one row a link, the most clicked first.
SELECT
    coalesce(link_url, 'a link without an address') AS link,
    count(*) AS clicks
FROM ctct_engagement
WHERE stream_id = any(%(stream_ids)s::integer[])
GROUP BY link_url
ORDER BY clicks DESC, link ASC
LIMIT %(most)s;

-- name: streams_of_campaign
-- How far each report of one campaign is read. Parameters: campaign_id.
-- Grain: one row an activity and type.
SELECT
    activity.campaign_activity_id,
    activity.role,
    stream.stream_id,
    stream.activity_type,
    stream.reported_count,
    stream.stored_count,
    stream.shortfall,
    stream.covered_from,
    stream.covered_to,
    stream.failure,
    stream.failed_at,
    CASE
        WHEN stream.failed_at IS NOT NULL THEN 'refused'
        WHEN stream.head_cursor IS NOT NULL OR stream.tail_cursor IS NOT NULL THEN 'incomplete'
        WHEN stream.covered_to IS NOT NULL THEN 'read'
        WHEN stream.reported_count = 0 THEN 'empty'
        ELSE 'not read'
    END AS state
FROM ctct_campaign_activity AS activity
INNER JOIN ctct_engagement_stream AS stream
    ON activity.campaign_activity_id = stream.campaign_activity_id
WHERE activity.campaign_id = %(campaign_id)s
ORDER BY activity.campaign_activity_id ASC, stream.stream_id ASC;

-- name: events_of_streams
-- Events of some reports, in no order. Parameters: stream_ids, an array and no query: how many
-- events each has decides about the plan. Grain: one row an event.
SELECT
    event_id,
    stream_id,
    occurred_at,
    contact_id
FROM ctct_engagement
WHERE stream_id = any(%(stream_ids)s::integer[]);

-- name: contacts_of_events
-- Who did something, by events that are known. Parameters: arrays contact_id, stream_id,
-- occurred_at, event_id, in the order to return. Grain: one row an event, with the CRM contacts
-- that its contact is linked to.
SELECT
    asked.contact_id AS constant_contact_id,
    asked.occurred_at,
    said.description,
    coalesce(linked.contacts, '[]') AS contacts
FROM
    unnest(
        %(contact_id)s::text[], %(stream_id)s::integer[], %(occurred_at)s::timestamptz[],
        %(event_id)s::bigint[]
    )
    WITH ORDINALITY AS asked (contact_id, stream_id, occurred_at, event_id, number)
INNER JOIN ctct_interaction AS said
    ON
        asked.contact_id = said.contact_id
        AND asked.stream_id = said.stream_id
        AND asked.occurred_at = said.occurred_at
        AND asked.event_id = said.event_id
CROSS JOIN
    LATERAL (
        SELECT
            jsonb_agg(
                jsonb_build_object(
                    'contact_id', crm.contact_id,
                    'name', concat_ws(' ', crm.first_name, crm.last_name)
                )
                ORDER BY crm.contact_id
            ) AS contacts
        FROM ctct_link AS crm
        WHERE crm.constant_contact_id = asked.contact_id
    ) AS linked
ORDER BY asked.number ASC;
