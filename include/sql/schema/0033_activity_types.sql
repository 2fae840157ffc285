-- An engagement type is a row here; what depends on it asks this table.
CREATE TABLE ctct_activity_type (
    activity_type text PRIMARY KEY,
    sentence text NOT NULL
);
COMMENT ON TABLE ctct_activity_type IS
'The types of engagement that the ledger and the CRM''s interactions have.';
COMMENT ON COLUMN ctct_activity_type.sentence IS
'How an interaction describes it: %1$s the campaign, %2$s the link, %3$s what the bounce means.';

INSERT INTO ctct_activity_type (activity_type, sentence)
VALUES
('send', 'Was sent %s'),
('open', 'Opened %s'),
('click', 'Clicked %2$s in %1$s'),
('bounce', '%1$s: %3$s'),
('forward', 'Forwarded %s'),
('opt_out', 'Unsubscribed through %s');

-- A campaign has moved where one of these counts changed: without them each would be read again.
INSERT INTO ctct_campaign_count (
    campaign_id, activity_type, vendor_count, counted_at, changed_at, noted_count, noted_at
)
SELECT
    campaign.campaign_id,
    told.activity_type,
    told.vendor_count,
    campaign.mirrored_at,
    coalesce(campaign.moved_at, campaign.mirrored_at),
    told.vendor_count,
    campaign.mirrored_at
FROM ctct_campaign AS campaign
CROSS JOIN
    LATERAL (
        VALUES
        ('send', campaign.unique_sends),
        ('open', campaign.unique_opens),
        ('click', campaign.unique_clicks),
        ('bounce', campaign.unique_bounces),
        ('forward', campaign.unique_forwards),
        ('opt_out', campaign.unique_opt_outs)
    ) AS told (activity_type, vendor_count)
WHERE told.vendor_count IS NOT NULL
ON CONFLICT (campaign_id, activity_type) DO NOTHING;

ALTER TABLE ctct_engagement_stream
DROP CONSTRAINT ctct_engagement_stream_activity_type_check,
ADD FOREIGN KEY (activity_type) REFERENCES ctct_activity_type;

-- An interaction is made of a stream's events: the key there is enough, and costs nothing a row.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_interaction'::regclass) IN ('r', 'p') THEN
        ALTER TABLE crm_interaction DROP CONSTRAINT IF EXISTS crm_interaction_activity_type_check;
    END IF;
END
$$;

-- One event as a CRM user reads it; the projection turns it into a row of crm_interaction.
-- `probably_automatic`: an open within seconds of the sending, by someone who clicked nothing.
CREATE OR REPLACE VIEW ctct_interaction AS
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
    concat(
        format(
            kind.sentence,
            coalesce('“' || campaign.name || '”', 'an email'),
            coalesce(event.link_url, 'a link'),
            coalesce(
                bounce.meaning, 'bounced, for the reason ' || event.bounce_code, 'bounced'
            )
        ),
        ' on a ' || device.name,
        CASE WHEN judged.probably_automatic THEN ' (probably automatic)' END,
        ': ' || event.opt_out_reason
    ) AS description
FROM ctct_engagement AS event
INNER JOIN ctct_engagement_stream AS stream ON event.stream_id = stream.stream_id
INNER JOIN ctct_activity_type AS kind ON stream.activity_type = kind.activity_type
INNER JOIN
    ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id
INNER JOIN ctct_campaign AS campaign ON activity.campaign_id = campaign.campaign_id
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
