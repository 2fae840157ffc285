-- name: count_findings
-- How many findings there are, and how much is missing or too many in them. Grain: one row.
SELECT
    count(*) FILTER (WHERE noun = 'campaign') AS campaigns__findings,
    coalesce(sum(abs(vendor_count - our_count)) FILTER (WHERE noun = 'campaign'), 0)
        AS campaigns__difference,
    count(*) FILTER (WHERE noun = 'contacts') AS contacts__findings,
    coalesce(sum(abs(vendor_count - our_count)) FILTER (WHERE noun = 'contacts'), 0)
        AS contacts__difference,
    count(*) FILTER (WHERE noun = 'list') AS lists__findings,
    coalesce(sum(abs(vendor_count - our_count)) FILTER (WHERE noun = 'list'), 0)
        AS lists__difference
FROM ctct_finding;

-- name: lock
-- One comparison at a time, and no page of the summary report meanwhile.
-- Grain: one row; held to the transaction's end.
SELECT pg_advisory_xact_lock(7263512004 + ctct_account_key());

-- name: note_summaries
-- Keep what a page of the summary report counts, and what it counted a day ago. A count that is
-- left out stays as it was. Parameters: arrays campaign_id and unique_counts (jsonb, by activity
-- type); mirrored_at. Grain: one row a campaign and activity type.
INSERT INTO ctct_campaign_count AS known (
    campaign_id, activity_type, vendor_count, counted_at, changed_at, noted_count, noted_at
)
SELECT DISTINCT ON (page.campaign_id, entry.activity_type)
    page.campaign_id,
    entry.activity_type,
    entry.vendor_count::integer,
    %(mirrored_at)s,
    %(mirrored_at)s,
    entry.vendor_count::integer,
    %(mirrored_at)s
FROM
    unnest(%(campaign_id)s::text[], %(unique_counts)s::jsonb[]) AS page (campaign_id, unique_counts)
CROSS JOIN LATERAL jsonb_each_text(page.unique_counts) AS entry (activity_type, vendor_count)
WHERE entry.vendor_count IS NOT NULL
ORDER BY page.campaign_id, entry.activity_type
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

-- name: changed_ledger
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

-- name: count_ledger
-- Count the ledger's contacts of campaigns and activity types again.
-- Parameters: arrays campaign_id, activity_type, events; stream_ids (all of these).
-- Grain: one row a campaign and activity type.
WITH changed AS (
    SELECT *
    FROM
        unnest(
            %(campaign_id)s::text[], %(activity_type)s::text[], %(events)s::bigint[]
        ) AS changed (campaign_id, activity_type, events)
),

-- A contact's links, then activities, then campaigns: each a group of what is before it.
link AS (
    SELECT
        stream_id,
        contact_id
    FROM ctct_engagement
    WHERE stream_id = any(%(stream_ids)s::integer[])
    GROUP BY stream_id, contact_id, url_id
),

recipient AS (
    SELECT
        stream_id,
        contact_id,
        count(*) AS links
    FROM link
    GROUP BY stream_id, contact_id
),

contact AS (
    SELECT
        activity.campaign_id,
        stream.activity_type,
        count(*) AS recipients,
        sum(recipient.links) AS links
    FROM recipient
    INNER JOIN ctct_engagement_stream AS stream ON recipient.stream_id = stream.stream_id
    INNER JOIN ctct_campaign_activity AS activity
        ON stream.campaign_activity_id = activity.campaign_activity_id
    GROUP BY activity.campaign_id, stream.activity_type, recipient.contact_id
),

campaign AS (
    SELECT
        campaign_id,
        activity_type,
        count(*) AS contacts,
        sum(recipients) AS recipients,
        sum(links) AS links
    FROM contact
    GROUP BY campaign_id, activity_type
)

UPDATE ctct_campaign_count AS counted
SET
    events = changed.events,
    contacts = coalesce(campaign.contacts, 0),
    recipients = coalesce(campaign.recipients, 0),
    links = coalesce(campaign.links, 0)
FROM changed
LEFT JOIN campaign
    ON
        changed.campaign_id = campaign.campaign_id
        AND changed.activity_type = campaign.activity_type
WHERE
    counted.campaign_id = changed.campaign_id
    AND counted.activity_type = changed.activity_type;

-- name: count_automatic
-- Count the contacts of campaigns whose every open is probably automatic: where the ledger changed,
-- and where they were not counted yet. Parameters: campaign_id (array).
-- Grain: one row a campaign.
WITH due AS (
    SELECT campaign_id
    FROM ctct_campaign_count
    WHERE
        activity_type = 'open'
        AND (campaign_id = any(%(campaign_id)s::text[]) OR automatic IS NULL)
),

opened AS (
    SELECT
        event.campaign_id,
        bool_and(event.probably_automatic) AS is_automatic
    FROM ctct_interaction AS event
    WHERE
        event.stream_id = any(
            array(
                SELECT stream.stream_id
                FROM due
                INNER JOIN ctct_campaign_activity AS activity
                    ON due.campaign_id = activity.campaign_id
                INNER JOIN ctct_engagement_stream AS stream
                    ON activity.campaign_activity_id = stream.campaign_activity_id
                WHERE stream.activity_type = 'open'
            )
        )
    GROUP BY event.campaign_id, event.contact_id
)

UPDATE ctct_campaign_count AS counted
SET automatic = coalesce(by_campaign.automatic, 0)
FROM due
LEFT JOIN (
    SELECT
        campaign_id,
        count(*) FILTER (WHERE is_automatic) AS automatic
    FROM opened
    GROUP BY campaign_id
) AS by_campaign ON due.campaign_id = by_campaign.campaign_id
WHERE counted.campaign_id = due.campaign_id AND counted.activity_type = 'open';

-- name: lacking_campaigns
-- What the summary report counts and the ledger lacks, by ctct_campaign_compared.
-- What may be on its way is set apart: a campaign of the last hours; a report that was not read
-- since its count changed; as many as came in the last hours. Not for longer than a day.
-- Parameters: ab_test_type_code; in_flight (interval). Grain: one row a campaign and activity type,
-- the largest gap first; `is_partly_read`: not back to the beginning, as was wanted.
WITH stream AS (
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
    FROM ctct_campaign_compared AS counted
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

-- name: count_compared
-- How many of the vendor's counts of campaigns are compared. Grain: one row.
SELECT count(*) AS compared
FROM ctct_campaign_count
WHERE events IS NOT NULL;

-- name: count_contacts
-- How many contacts the mirror has, and how many of them changed in the last hours; beside these,
-- what the CRM had changed at the vendor since. Parameters: in_flight (interval).
-- Grain: one row a permission; those without one (no address) have none.
SELECT
    contact.permission_to_send AS permission,
    count(*) FILTER (WHERE contact.deleted_at IS NULL) AS living,
    count(*) FILTER (WHERE contact.deleted_at IS NOT NULL) AS deleted,
    count(*) FILTER (
        WHERE greatest(
            contact.created_at, contact.updated_at, contact.opt_in_date, contact.opt_out_date,
            contact.deleted_at
        ) >= clock_timestamp() - %(in_flight)s
    ) AS recent
FROM ctct_contact AS contact
GROUP BY contact.permission_to_send;

-- name: count_carried
-- How many changes of the CRM's were carried to the vendor in the last hours, and of how many
-- erased contacts the mirror has no lists.
-- Parameters: in_flight (interval). Grain: one row.
SELECT
    (
        SELECT count(*) FROM crm_opt_out_change
        WHERE status = 'done' AND processed_at >= clock_timestamp() - %(in_flight)s
    )
    + (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'done' AND processed_at >= clock_timestamp() - %(in_flight)s
    ) AS carried,
    (SELECT count(*) FROM ctct_erased) AS erased;

-- name: count_lists
-- Count the members that the mirror has of each list. Parameters: counted_at.
-- Grain: one row a list.
INSERT INTO ctct_list_count AS known (list_id, fewest, most, counted_at)
SELECT
    list.list_id,
    coalesce(member.fewest, 0),
    coalesce(member.most, 0),
    %(counted_at)s
FROM ctct_list AS list
LEFT JOIN (
    SELECT
        on_list.list_id,
        count(*) FILTER (
            WHERE contact.deleted_at IS NULL AND contact.permission_to_send <> 'unsubscribed'
        ) AS fewest,
        count(*) AS most
    FROM ctct_contact AS contact
    CROSS JOIN LATERAL unnest(contact.list_ids) AS on_list (list_id)
    GROUP BY on_list.list_id
) AS member ON list.list_id = member.list_id
ON CONFLICT (list_id) DO UPDATE SET
    fewest = excluded.fewest,
    most = excluded.most,
    counted_at = excluded.counted_at;

-- name: differing_lists
-- Which lists have another number of members in the mirror than the vendor counts, by more than
-- changed in the last hours. Joining a list need not count as a change of the contact: so a list
-- is compared after a full pass over the contacts, or until a finding agrees. Whether the vendor
-- counts members that are unsubscribed or deleted is not said: any number between is right.
-- Parameters: in_flight (interval), recent (contacts that changed in it, and erased ones),
-- full_pass_at (of the contacts). Grain: one row a list that is compared; `is_found` if it differs.
WITH compared AS (
    SELECT
        list.list_id,
        list.membership_count AS vendor_count,
        counted.fewest,
        counted.most
    FROM ctct_list AS list
    INNER JOIN ctct_list_count AS counted ON list.list_id = counted.list_id
    LEFT JOIN ctct_finding AS found ON found.noun = 'list' AND list.list_id = found.subject_id
    WHERE
        list.deleted_at IS NULL
        AND list.membership_count IS NOT NULL
        AND (
            found.subject_id IS NOT NULL
            OR (
                %(full_pass_at)s::timestamptz >= clock_timestamp() - interval '20 hours'
                AND list.mirrored_at >= %(full_pass_at)s::timestamptz - %(in_flight)s
            )
        )
)

SELECT
    list_id AS subject_id,
    '' AS kind,
    vendor_count,
    NULL AS reason,
    NULL AS detail,
    CASE WHEN vendor_count > most THEN most ELSE fewest END AS our_count,
    vendor_count > most + %(recent)s OR vendor_count < fewest - %(recent)s AS is_found
FROM compared
ORDER BY list_id;

-- name: contacts_differ
-- Whether the vendor's count of contacts was found to differ since they were last read whole.
-- Parameters: full_pass_at. Grain: one row.
SELECT
    exists(
        SELECT FROM ctct_finding
        WHERE noun = 'contacts' AND found_at > %(full_pass_at)s
    ) AS differ;

-- name: keep_findings
-- Keep what is found to differ; since when, stays. Parameters: noun; arrays subject_id, kind,
-- vendor_count, our_count, reason, detail; checked_at. Grain: one row a finding.
INSERT INTO ctct_finding AS known (
    noun, subject_id, kind, vendor_count, our_count, reason, detail, found_at, checked_at
)
SELECT
    %(noun)s,
    subject_id,
    kind,
    vendor_count,
    our_count,
    reason,
    detail,
    %(checked_at)s,
    %(checked_at)s
FROM
    unnest(
        %(subject_id)s::text[], %(kind)s::text[], %(vendor_count)s::integer[],
        %(our_count)s::integer[], %(reason)s::text[], %(detail)s::text[]
    ) AS found (subject_id, kind, vendor_count, our_count, reason, detail)
ON CONFLICT (noun, subject_id, kind) DO UPDATE SET
    vendor_count = excluded.vendor_count,
    our_count = excluded.our_count,
    reason = excluded.reason,
    detail = excluded.detail,
    checked_at = excluded.checked_at;

-- name: drop_findings
-- Forget what differed before and agrees now. Parameters: noun; checked_at (of this comparison).
-- Grain: one row a finding.
DELETE FROM ctct_finding
WHERE noun = %(noun)s AND checked_at < %(checked_at)s
RETURNING
    subject_id,
    kind;

-- name: findings
-- Where what is stored is not what the vendor counts, the largest difference first.
-- Parameters: noun (null: all). Grain: one row a finding, with the name of its campaign or list.
SELECT
    found.noun,
    found.subject_id,
    found.kind,
    found.vendor_count,
    found.our_count,
    found.reason,
    found.detail,
    found.found_at,
    coalesce(campaign.name, list.name) AS name
FROM ctct_finding AS found
LEFT JOIN ctct_campaign AS campaign
    ON found.noun = 'campaign' AND found.subject_id = campaign.campaign_id
LEFT JOIN ctct_list AS list ON found.noun = 'list' AND found.subject_id = list.list_id
WHERE %(noun)s::text IS NULL OR found.noun = %(noun)s
ORDER BY abs(found.vendor_count - found.our_count) DESC, found.subject_id ASC, found.kind ASC;
