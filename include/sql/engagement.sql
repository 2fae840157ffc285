-- name: lock_writers
-- Let the projection wait for us: event ids are drawn before they are committed.
-- Grain: one row; held to the transaction's end, shared among writers.
SELECT pg_advisory_xact_lock_shared(7263512002 + ctct_account_key());

-- name: stage
-- Where a page of events is copied before it is added; one a connection, empty at commit.
-- Grain: one row of EventRecord, columns in its order.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_event (
    contact_id text,
    occurred_at timestamptz,
    url_id text,
    ordinal smallint,
    link_url text,
    device_type text,
    bounce_code text,
    opt_out_reason text
) ON COMMIT DELETE ROWS;

-- name: add_page
-- Add the staged page of a tracker report to the ledger. Parameters: stream_id.
-- Grain: one row an event; those that the ledger has are left as they are, and those of people who
-- were erased are left out.
INSERT INTO ctct_engagement (
    stream_id, ordinal, occurred_at, contact_id, url_id, link_url, device_type, bounce_code,
    opt_out_reason
)
SELECT
    %(stream_id)s,
    ordinal,
    occurred_at,
    contact_id,
    url_id,
    link_url,
    device_type,
    bounce_code,
    opt_out_reason
FROM staged_event
WHERE
    NOT EXISTS (
        SELECT FROM ctct_erased AS erased
        WHERE erased.constant_contact_id = staged_event.contact_id
    )
ON CONFLICT (contact_id, stream_id, occurred_at, url_id, ordinal) DO NOTHING;

-- name: left_out
-- Of which erased contacts the staged page has events, which are left out.
-- Grain: one row a contact.
SELECT DISTINCT staged.contact_id
FROM staged_event AS staged
INNER JOIN ctct_erased AS erased ON staged.contact_id = erased.constant_contact_id;

-- name: streams_to_read
-- Which streams have something to read: never read and not known to be empty (as one is not of
-- whose type the summary report counts more than the statistics do), counted otherwise than when
-- last read, not counted at all but of a campaign that can move, left in mid-read, or not read as
-- far back as is wanted. One that was refused is asked again a day later; one of which the vendor
-- itself says that there is no report, ever more rarely: when as long has passed again. So is one
-- read whole for a shortfall of another size than before (`may_reread`).
-- Parameters: since (null: to the beginning), reread (true: all), active_days, shard (from 0) of
-- how many shards, stream_id (null: any).
-- Grain: one row a stream; `version` changes with anything that is written to it.
SELECT
    stream.stream_id,
    stream.campaign_activity_id,
    stream.activity_type,
    stream.reported_count,
    stream.read_count,
    stream.stored_count,
    stream.covered_from,
    stream.covered_to,
    stream.head_cursor,
    stream.head_started_at,
    stream.tail_cursor,
    stream.shortfall,
    stream.malformed_count,
    stream.left_out_count,
    stream.reread_shortfall,
    stream.reread_since,
    stream.reread_at,
    due.may_reread,
    stream.xmin::text AS version
FROM ctct_engagement_stream AS stream
INNER JOIN
    ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id
INNER JOIN ctct_campaign AS campaign ON activity.campaign_id = campaign.campaign_id
LEFT JOIN ctct_campaign_count AS counted
    ON
        activity.campaign_id = counted.campaign_id
        AND stream.activity_type = counted.activity_type
        AND counted.vendor_count > 0
CROSS JOIN
    LATERAL (
        SELECT
            coalesce(
                stream.reread_at + greatest(
                    (stream.reread_at - stream.reread_since) * 0.9, interval '20 hours'
                ) < clock_timestamp(),
                TRUE
            ) AS may_reread
    ) AS due
WHERE
    (%(stream_id)s::integer IS NULL OR stream.stream_id = %(stream_id)s)
    AND mod(hashint4(stream.stream_id) & 2147483647, %(shards)s) = %(shard)s
    AND (
        %(reread)s
        OR (
            coalesce(
                stream.failed_at + greatest(
                    (stream.failed_at - stream.no_report_since) * 0.9, interval '20 hours'
                ) < clock_timestamp(),
                TRUE
            )
            AND (
                stream.failed_at IS NOT NULL
                OR (
                    stream.covered_to IS NULL
                    AND (
                        stream.reported_count IS DISTINCT FROM 0
                        OR counted.vendor_count > (
                            SELECT coalesce(sum(sibling.reported_count), 0)
                            FROM ctct_engagement_stream AS sibling
                            INNER JOIN ctct_campaign_activity AS of_campaign
                                ON sibling.campaign_activity_id = of_campaign.campaign_activity_id
                            WHERE
                                of_campaign.campaign_id = activity.campaign_id
                                AND sibling.activity_type = stream.activity_type
                        )
                    )
                )
                OR (
                    stream.covered_to IS NOT NULL
                    AND stream.reported_count IS DISTINCT FROM stream.read_count
                )
                OR (
                    stream.reported_count IS NULL
                    AND (
                        campaign.moved_at >= stream.mirrored_at
                        OR coalesce(
                            coalesce(
                                campaign.last_sent_at,
                                CASE WHEN campaign.moved_at IS NULL THEN campaign.updated_at END
                            ) >= clock_timestamp() - make_interval(days => %(active_days)s),
                            TRUE
                        )
                    )
                )
                OR stream.head_cursor IS NOT NULL
                OR (due.may_reread AND stream.shortfall NOT IN (0, stream.reread_shortfall))
                OR (
                    stream.tail_cursor IS NOT NULL
                    AND (
                        %(since)s::timestamptz IS NULL
                        OR stream.covered_from > %(since)s::timestamptz
                    )
                )
            )
        )
    )
ORDER BY stream.stream_id;

-- name: claim_stream
-- Become the one reader of a stream, unless another is. Parameters: stream_id.
-- Grain: one row; held until it is released or the session ends.
SELECT pg_try_advisory_lock(726351 + ctct_account_key(), %(stream_id)s) AS claimed;

-- name: release_stream
-- Let others read a stream. Parameters: stream_id. Grain: one row.
SELECT pg_advisory_unlock(726351 + ctct_account_key(), %(stream_id)s);

-- name: stream_version
-- Whether a stream is still as it was read. Parameters: stream_id, version. Grain: one row.
SELECT xmin::text = %(version)s AS is_unchanged
FROM ctct_engagement_stream
WHERE stream_id = %(stream_id)s;

-- name: await_stream
-- Wait for a stream's reader, then be it. Parameters: stream_id. Grain: one row, as claim_stream.
SELECT pg_advisory_lock(726351 + ctct_account_key(), %(stream_id)s);

-- name: troubled_streams
-- Which streams the vendor refuses, met an unexpected error, or have fewer events than it counts:
-- it counts more events of than it lists. An activity of a role
-- that the contract does not name need not have a report: where the vendor says so of all that was
-- asked, that is no trouble (engagement/without_report).
-- Parameters: reported_roles (whose reports there must be). Grain: one row a stream.
SELECT
    stream.campaign_activity_id,
    stream.activity_type,
    stream.shortfall,
    stream.failed_at IS NOT NULL AND stream.is_unexpected AS is_unexpected,
    CASE WHEN stream.failed_at IS NOT NULL THEN stream.failure END AS failure
FROM ctct_engagement_stream AS stream
INNER JOIN ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id
WHERE
    (stream.failed_at IS NOT NULL OR stream.shortfall > 0)
    AND (
        stream.no_report_since IS NULL
        OR coalesce(activity.role = any(%(reported_roles)s), TRUE)
        OR EXISTS (
            SELECT FROM ctct_engagement_stream AS sibling
            WHERE
                sibling.campaign_activity_id = stream.campaign_activity_id
                AND sibling.covered_to IS NOT NULL
        )
    )
ORDER BY stream.stream_id;

-- name: without_report
-- Which activities have no report by the vendor's own word: of a role that the contract does not
-- name, and none of their streams could ever be read.
-- Parameters: reported_roles (whose reports there must be). Grain: one row an activity.
SELECT
    activity.campaign_activity_id,
    activity.campaign_id,
    activity.role,
    min(stream.no_report_since) AS since,
    min(
        stream.failed_at
        + greatest((stream.failed_at - stream.no_report_since) * 0.9, interval '20 hours')
    ) AS next_at,
    min(stream.failure) AS failure
FROM ctct_campaign_activity AS activity
INNER JOIN ctct_engagement_stream AS stream
    ON activity.campaign_activity_id = stream.campaign_activity_id
WHERE activity.role <> all(%(reported_roles)s)
GROUP BY activity.campaign_activity_id, activity.campaign_id, activity.role
HAVING count(stream.covered_to) = 0 AND count(stream.no_report_since) > 0
ORDER BY activity.campaign_activity_id;

-- name: lock_interactions
-- One projection at a time. Grain: one row; held to the transaction's end.
SELECT pg_advisory_xact_lock(7263512003 + ctct_account_key());

-- name: lock_projection
-- Wait until no page of events is being written. Grain: one row; held to the transaction's end.
SELECT pg_advisory_xact_lock(7263512002 + ctct_account_key());

-- name: newest_event
-- The last event id in the ledger. Parameters: position (none before it is looked at).
-- Grain: one row.
SELECT coalesce(max(event_id), %(position)s) AS event_id
FROM ctct_engagement
WHERE event_id > %(position)s;

-- name: stage_link_changes
-- Which links the projection takes away and adds; one a connection, empty at commit.
-- Grain: one row a CRM contact and direction.
CREATE TEMPORARY TABLE IF NOT EXISTS link_change (
    crm_contact_id text,
    constant_contact_id text,
    is_new boolean
) ON COMMIT DELETE ROWS;

-- name: forget_types
-- Which activity types are projected and no longer wanted; forget them.
-- Parameters: activity_types (array, those wanted). Grain: one row a type.
DELETE FROM ctct_projected_type
WHERE activity_type <> all(%(activity_types)s)
RETURNING activity_type;

-- name: add_types
-- Which activity types are wanted and not projected yet; keep them.
-- Parameters: activity_types (array). Grain: one row a type.
INSERT INTO ctct_projected_type (activity_type)
SELECT activity_type
FROM unnest(%(activity_types)s::text[]) AS wanted (activity_type)
ON CONFLICT (activity_type) DO NOTHING
RETURNING activity_type;

-- name: fail_stream
-- Keep why a stream cannot be read, and since when the vendor says that there is no such report.
-- Parameters: stream_id, failure, has_no_report (the vendor's own words; a gateway's or a broken
-- reply are none), is_unexpected (an error of ours). Grain: one row.
UPDATE ctct_engagement_stream
SET
    failure = %(failure)s,
    failed_at = clock_timestamp(),
    is_unexpected = %(is_unexpected)s,
    no_report_since = CASE
        WHEN %(has_no_report)s THEN coalesce(no_report_since, clock_timestamp())
    END
WHERE stream_id = %(stream_id)s;

-- name: save_stream
-- Keep how far a stream is read; commits with the page. Parameters: each column; stream_id;
-- added (events of this page that were new, to the count that others may add to as well).
-- Grain: one row, the count.
UPDATE ctct_engagement_stream
SET
    read_count = %(read_count)s,
    stored_count = stored_count + %(added)s,
    covered_from = %(covered_from)s,
    covered_to = %(covered_to)s,
    head_cursor = %(head_cursor)s,
    head_started_at = %(head_started_at)s,
    tail_cursor = %(tail_cursor)s,
    shortfall = %(shortfall)s,
    malformed_count = %(malformed_count)s,
    left_out_count = %(left_out_count)s,
    reread_shortfall = %(reread_shortfall)s,
    reread_since = %(reread_since)s,
    reread_at = %(reread_at)s,
    failure = NULL,
    failed_at = NULL,
    no_report_since = NULL,
    mirrored_at = clock_timestamp()
WHERE stream_id = %(stream_id)s
RETURNING stored_count;
