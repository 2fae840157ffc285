-- Interactions follow what changes after they were made: an open turns out to be a person's or a
-- program's, a campaign has another name, a type is no longer wanted.

-- The name that the campaign's interactions have, '' for none; null: it was never projected.
ALTER TABLE ctct_campaign ADD COLUMN projected_name text;
UPDATE ctct_campaign SET projected_name = coalesce(name, '');

-- Which activity types the CRM's interactions were made of.
CREATE TABLE ctct_projected_type (activity_type text PRIMARY KEY);
INSERT INTO ctct_projected_type (activity_type)
VALUES ('send'), ('open'), ('click'), ('bounce'), ('forward'), ('opt_out');

-- A campaign's events, for when it was renamed: a page of events is of one stream.
CREATE INDEX ctct_engagement_stream_events
ON ctct_engagement USING brin (stream_id int4_minmax_multi_ops)
WITH (pages_per_range = 16, autosummarize = on);

-- How near to its sending an email is opened by a program rather than by a person: security
-- gateways and mail services fetch it on arrival.
CREATE FUNCTION ctct_automatic_within() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '10 seconds';

DROP VIEW ctct_interaction;

-- One event as a CRM user reads it; the projection turns it into a row of crm_interaction.
-- `probably_automatic`: an open within seconds of the sending, by someone who clicked nothing.
CREATE VIEW ctct_interaction AS
SELECT
    event.event_id,
    event.contact_id,
    campaign.campaign_id,
    stream.campaign_activity_id,
    campaign.name AS campaign_name,
    stream.activity_type,
    event.occurred_at,
    event.link_url,
    event.device_type,
    event.bounce_code,
    event.opt_out_reason,
    event.stream_id,
    judged.probably_automatic,
    concat_ws(
        '|', stream.campaign_activity_id, stream.activity_type, event.contact_id,
        extract(EPOCH FROM event.occurred_at), event.url_id, event.ordinal
    ) AS identity,
    CASE stream.activity_type
        WHEN 'send' THEN format('Was sent %s', named.campaign)
        WHEN 'open'
            THEN
                concat(
                    format('Opened %s', named.campaign),
                    ' on a ' || device.name,
                    CASE WHEN judged.probably_automatic THEN ' (probably automatic)' END
                )
        WHEN 'click'
            THEN
                concat(
                    format('Clicked %s in %s', coalesce(event.link_url, 'a link'), named.campaign),
                    ' on a ' || device.name
                )
        WHEN 'forward' THEN format('Forwarded %s', named.campaign)
        WHEN 'bounce'
            THEN
                format(
                    '%s: %s',
                    named.campaign,
                    coalesce(
                        bounce.meaning,
                        'bounced, for the reason ' || event.bounce_code,
                        'bounced'
                    )
                )
        ELSE
            concat(
                format('Unsubscribed through %s', named.campaign),
                ': ' || event.opt_out_reason
            )
    END AS description
FROM ctct_engagement AS event
INNER JOIN ctct_engagement_stream AS stream ON event.stream_id = stream.stream_id
INNER JOIN
    ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id
INNER JOIN ctct_campaign AS campaign ON activity.campaign_id = campaign.campaign_id
CROSS JOIN
    LATERAL (
        SELECT coalesce('“' || campaign.name || '”', 'an email') AS campaign
    ) AS named
CROSS JOIN
    LATERAL (
        SELECT
            -- In this order: hardly any open comes so early, so hardly any asks for clicks. A
            -- click comes after the sending; the range also keeps all clicks from being hashed.
            CASE
                WHEN stream.activity_type <> 'open' THEN FALSE
                WHEN
                    NOT EXISTS (
                        SELECT
                        FROM ctct_engagement_stream AS sends
                        INNER JOIN ctct_engagement AS send ON sends.stream_id = send.stream_id
                        WHERE
                            sends.campaign_activity_id = stream.campaign_activity_id
                            AND sends.activity_type = 'send'
                            AND send.contact_id = event.contact_id
                            AND send.occurred_at
                            BETWEEN event.occurred_at - ctct_automatic_within()
                            AND event.occurred_at + ctct_automatic_within()
                    )
                    THEN FALSE
                ELSE NOT EXISTS (
                    SELECT
                    FROM ctct_engagement_stream AS clicks
                    INNER JOIN ctct_engagement AS click ON clicks.stream_id = click.stream_id
                    WHERE
                        clicks.campaign_activity_id = stream.campaign_activity_id
                        AND clicks.activity_type = 'click'
                        AND click.contact_id = event.contact_id
                        AND click.occurred_at >= event.occurred_at - 2 * ctct_automatic_within()
                )
            END AS probably_automatic
    ) AS judged
LEFT JOIN (
    VALUES
    ('computer', 'computer'),
    ('mobile', 'phone'),
    ('tablet', 'tablet')
) AS device (device_type, name) ON event.device_type = device.device_type
-- getBounces, BouncesTrackingActivity.bounce_code
LEFT JOIN (
    VALUES
    ('B', 'bounced, the address does not exist'),
    ('D', 'could not be delivered, the mail server did not answer'),
    ('F', 'bounced, the mailbox is full'),
    ('S', 'was not sent, the address is suspended after earlier bounces'),
    ('V', 'was delivered, an automatic reply came back'),
    ('X', 'bounced, the mail server gave another reason'),
    ('Z', 'was blocked by the mail server')
) AS bounce (code, meaning) ON event.bounce_code = bounce.code;
