-- Describe opens anew that were projected before, where a sending or a click came to the ledger
-- after them: they may be a person's by now, or a program's. Only opens near a sending can change.
-- Parameters: position, upto (event ids). Grain: one row an interaction.
WITH arrived AS (
    SELECT DISTINCT
        event.contact_id,
        opens.stream_id,
        sends.stream_id AS send_stream_id
    FROM ctct_engagement AS event
    INNER JOIN ctct_engagement_stream AS stream
        ON event.stream_id = stream.stream_id AND stream.activity_type IN ('send', 'click')
    INNER JOIN ctct_engagement_stream AS opens
        ON stream.campaign_activity_id = opens.campaign_activity_id AND opens.activity_type = 'open'
    INNER JOIN ctct_engagement_stream AS sends
        ON stream.campaign_activity_id = sends.campaign_activity_id AND sends.activity_type = 'send'
    WHERE
        event.event_id > %(position)s
        AND event.event_id <= %(upto)s
        -- Before the first projection there is nothing to judge anew.
        AND %(position)s > 0
),

near AS (
    SELECT DISTINCT
        opened.contact_id,
        opened.stream_id,
        opened.occurred_at
    FROM arrived
    INNER JOIN ctct_engagement AS sent
        ON arrived.contact_id = sent.contact_id AND arrived.send_stream_id = sent.stream_id
    INNER JOIN ctct_engagement AS opened
        ON
            arrived.contact_id = opened.contact_id
            AND arrived.stream_id = opened.stream_id
            AND opened.occurred_at BETWEEN sent.occurred_at - ctct_automatic_within()
            AND sent.occurred_at + ctct_automatic_within()
    WHERE opened.event_id <= %(position)s
)

UPDATE crm_interaction AS interaction
SET description = event.description
FROM near
INNER JOIN ctct_interaction AS event
    ON
        near.contact_id = event.contact_id
        AND near.stream_id = event.stream_id
        AND near.occurred_at = event.occurred_at
INNER JOIN ctct_link AS link ON near.contact_id = link.projected_id
WHERE
    interaction.interaction_id = md5(concat_ws('|', link.contact_id, event.identity))
    AND interaction.description IS DISTINCT FROM event.description;
