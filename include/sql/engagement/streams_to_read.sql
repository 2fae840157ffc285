-- Which streams have something to read: never read and not known to be empty (as one is not of
-- whose type the summary report counts more than the statistics do), counted otherwise than when
-- last read, not counted at all but of a campaign that can move, left in mid-read, or not read as
-- far back as is wanted. One that was refused is asked again a day later; one of which the vendor
-- itself says that there is no report, ever more rarely: when as long has passed again.
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
    stream.xmin::TEXT AS version
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
WHERE
    (%(stream_id)s::INTEGER IS NULL OR stream.stream_id = %(stream_id)s)
    AND mod(hashint4(stream.stream_id) & 2147483647, %(shards)s) = %(shard)s
    AND (
        %(reread)s
        OR (
            coalesce(
                stream.failed_at + greatest(
                    (stream.failed_at - stream.no_report_since) * 0.9, INTERVAL '20 hours'
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
                OR (
                    stream.tail_cursor IS NOT NULL
                    AND (
                        %(since)s::TIMESTAMPTZ IS NULL
                        OR stream.covered_from > %(since)s::TIMESTAMPTZ
                    )
                )
            )
        )
    )
ORDER BY stream.stream_id;
