-- What the summary report counts and the ledger lacks. The contract does not say whether the
-- summary counts a contact once for each activity, for the campaign or for each link, or all
-- events: what fits three campaigns of the account, at least half of them, and more than once for
-- each activity does, is taken. Else once for each activity, and of types that do not repeat as a
-- rule all events.
-- What may be on its way is told apart: a campaign of the last hours; a report that was not read
-- since its count changed; as many as came in the last hours. Not for longer than a day.
-- Parameters: ab_test_type_code; in_flight (interval). Grain: one row a campaign and activity type,
-- the largest gap first; `is_partly_read`: not back to the beginning, as was wanted.
WITH fitting AS (
    SELECT
        activity_type,
        greatest(
            3,
            count(*) / 2.0,
            count(*) FILTER (WHERE vendor_count = recipients) + 1
        ) AS least,
        count(*) FILTER (WHERE vendor_count = contacts) AS by_campaign,
        count(*) FILTER (WHERE vendor_count = links) AS by_link,
        count(*) FILTER (WHERE vendor_count = events) AS by_event
    FROM ctct_campaign_count
    WHERE vendor_count > 0 AND events IS NOT NULL
    GROUP BY activity_type
),

counted AS (
    SELECT
        each.campaign_id,
        each.activity_type,
        each.vendor_count,
        each.counted_at,
        each.changed_at,
        each.due_count,
        each.events,
        CASE
            WHEN
                fitting.by_campaign >= greatest(fitting.least, fitting.by_link, fitting.by_event)
                THEN each.contacts
            WHEN fitting.by_link >= greatest(fitting.least, fitting.by_event) THEN each.links
            WHEN fitting.by_event >= fitting.least THEN each.events
            WHEN each.activity_type IN ('open', 'click') THEN each.recipients
            ELSE each.events
        END AS our_count
    FROM ctct_campaign_count AS each
    INNER JOIN fitting ON each.activity_type = fitting.activity_type
    WHERE each.vendor_count > 0 AND each.events IS NOT NULL
),

stream AS (
    SELECT
        activity.campaign_id,
        stream.activity_type,
        count(*) AS streams,
        count(stream.failed_at) AS refused,
        count(*) FILTER (
            WHERE stream.failed_at IS NOT NULL AND stream.is_unexpected
        ) AS unexpected,
        min(stream.failure) FILTER (WHERE stream.failed_at IS NOT NULL) AS failure,
        count(*) FILTER (
            WHERE stream.failed_at IS NULL AND stream.covered_to IS NULL
        ) AS unread,
        bool_or(
            stream.failed_at IS NULL
            AND (stream.tail_cursor IS NOT NULL OR stream.covered_from IS NOT NULL)
        ) AS is_partly_read,
        min(
            CASE WHEN stream.failed_at IS NULL THEN coalesce(stream.mirrored_at, '-infinity') END
        ) AS read_at,
        sum(stream.reported_count) AS reported,
        sum(stream.shortfall) AS shortfall,
        sum(stream.malformed_count) AS malformed,
        sum(stream.left_out_count) AS left_out,
        sum(recent.events) AS recent
    FROM ctct_engagement_stream AS stream
    INNER JOIN ctct_campaign_activity AS activity
        ON stream.campaign_activity_id = activity.campaign_activity_id
    LEFT JOIN (
        SELECT
            stream_id,
            sum(events) AS events
        FROM ctct_engagement_day
        WHERE day_utc >= ((clock_timestamp() - %(in_flight)s) AT TIME ZONE 'UTC')::date
        GROUP BY stream_id
    ) AS recent ON stream.stream_id = recent.stream_id
    GROUP BY activity.campaign_id, stream.activity_type
),

purged AS MATERIALIZED (
    SELECT deleted_at
    FROM ctct_contact
    WHERE deleted_at IS NOT NULL AND email_address IS NULL
),

lacking AS (
    SELECT
        counted.campaign_id,
        counted.activity_type,
        counted.vendor_count,
        counted.our_count,
        campaign.last_sent_at,
        stream.failure,
        coalesce(campaign.type_code = %(ab_test_type_code)s, FALSE) AS is_ab_test,
        coalesce(campaign.current_status = 'Removed', FALSE) AS is_removed,
        coalesce(campaign.type ILIKE 'automat%%', FALSE) AS is_automated,
        counted.counted_at < discovery.covered_to AS is_gone,
        coalesce(stream.streams, 0) AS streams,
        coalesce(stream.refused, 0) AS refused,
        coalesce(stream.unexpected, 0) AS unexpected,
        coalesce(stream.unread, 0) AS unread,
        coalesce(stream.reported <= counted.events, FALSE) AS has_all_reported,
        coalesce(stream.is_partly_read, FALSE) AS is_partly_read,
        coalesce(stream.shortfall, 0) AS shortfall,
        coalesce(stream.malformed, 0) AS malformed,
        found.campaign_id IS NULL
        AND NOT coalesce(
            counted.due_count > counted.our_count + coalesce(stream.left_out, 0), FALSE
        )
        AND (
            coalesce(campaign.last_sent_at > counted.counted_at - %(in_flight)s, FALSE)
            OR coalesce(stream.read_at < counted.changed_at, FALSE)
            OR counted.vendor_count - counted.our_count - coalesce(stream.left_out, 0)
            <= coalesce(stream.recent, 0)
        ) AS is_in_flight
    FROM counted
    INNER JOIN ctct_campaign AS campaign ON counted.campaign_id = campaign.campaign_id
    LEFT JOIN stream
        ON
            counted.campaign_id = stream.campaign_id
            AND counted.activity_type = stream.activity_type
    LEFT JOIN ctct_sync_state AS discovery ON discovery.noun = 'activities'
    LEFT JOIN (
        SELECT
            subject_id AS campaign_id,
            kind AS activity_type
        FROM ctct_finding
        WHERE noun = 'campaign'
    ) AS found
        ON
            counted.campaign_id = found.campaign_id
            AND counted.activity_type = found.activity_type
    WHERE counted.vendor_count > counted.our_count + coalesce(stream.left_out, 0)
)

SELECT
    campaign_id,
    activity_type,
    vendor_count,
    our_count,
    is_partly_read,
    is_in_flight,
    CASE
        WHEN is_ab_test THEN 'ab_test'
        WHEN is_removed THEN 'removed'
        WHEN is_automated THEN 'automated'
        WHEN streams = 0 THEN 'no_activities'
        WHEN refused > unexpected THEN 'refused'
        WHEN unexpected > 0 THEN 'unexpected'
        WHEN malformed > 0 THEN 'malformed'
        WHEN
            shortfall > 0
            AND (
                SELECT count(*) FROM purged
                WHERE purged.deleted_at >= lacking.last_sent_at
            ) >= vendor_count - our_count
            THEN 'purged'
        WHEN shortfall > 0 THEN 'shortfall'
        WHEN unread > 0 THEN 'unread'
        WHEN is_gone THEN 'not_listed'
        WHEN has_all_reported THEN 'not_shown'
    END AS reason,
    CASE
        WHEN is_ab_test OR is_removed OR is_automated OR streams = 0 THEN NULL
        WHEN refused > 0 THEN failure
        WHEN malformed > 0 THEN malformed::text
        WHEN shortfall > 0 THEN shortfall::text
    END AS detail
FROM lacking
-- What was deleted at the vendor and is counted there no more needs no finding.
WHERE NOT (is_removed AND coalesce(is_gone, FALSE))
ORDER BY vendor_count - our_count DESC, campaign_id ASC, activity_type ASC;
