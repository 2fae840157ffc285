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
