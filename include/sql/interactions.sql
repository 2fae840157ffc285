-- name: project_new_events
-- Make interactions of the events that came since the last projection, for the links projected
-- before. Of a link that was cleared since, only what happened before: its contact may belong to
-- another person by now. Parameters: position, upto (event ids), left_out (activity types).
-- Grain: one row an event and linked CRM contact.
INSERT INTO crm_interaction (
    interaction_id, contact_id, constant_contact_id, campaign_id, campaign_activity_id,
    campaign_name, activity_type, description, occurred_at, link_url, device_type, bounce_code,
    opt_out_reason
)
SELECT
    md5(concat_ws('|', link.contact_id, event.identity)),
    link.contact_id,
    event.contact_id,
    event.campaign_id,
    event.campaign_activity_id,
    event.campaign_name,
    event.activity_type,
    event.description,
    event.occurred_at,
    event.link_url,
    event.device_type,
    event.bounce_code,
    event.opt_out_reason
FROM ctct_interaction AS event
INNER JOIN ctct_link AS link ON event.contact_id = link.projected_id
WHERE
    event.event_id > %(position)s
    AND event.event_id <= %(upto)s
    AND event.activity_type <> all(%(left_out)s)
    AND coalesce(
        link.constant_contact_id = link.projected_id, event.occurred_at < link.linked_at
    )
ON CONFLICT (interaction_id) DO NOTHING;

-- name: project_new_links
-- Make interactions of the whole history of the CRM contacts that were linked since the last
-- projection: those of link_change. Parameters: position, upto (event ids), left_out (activity
-- types).
-- Grain: one row an event and newly linked CRM contact.
INSERT INTO crm_interaction (
    interaction_id, contact_id, constant_contact_id, campaign_id, campaign_activity_id,
    campaign_name, activity_type, description, occurred_at, link_url, device_type, bounce_code,
    opt_out_reason
)
SELECT
    md5(concat_ws('|', link.crm_contact_id, event.identity)),
    link.crm_contact_id,
    event.contact_id,
    event.campaign_id,
    event.campaign_activity_id,
    event.campaign_name,
    event.activity_type,
    event.description,
    event.occurred_at,
    event.link_url,
    event.device_type,
    event.bounce_code,
    event.opt_out_reason
FROM link_change AS link
INNER JOIN ctct_interaction AS event ON link.constant_contact_id = event.contact_id
WHERE
    link.is_new
    AND event.event_id > %(position)s
    AND event.event_id <= %(upto)s
    AND event.activity_type <> all(%(left_out)s)
ON CONFLICT (interaction_id) DO NOTHING;

-- name: take_moved_links
-- Forget whose events the interactions were made of, where the link moved to another of the
-- vendor's contacts, the CRM contact is gone, or another one has its id; keep in link_change which.
-- A link that was only cleared keeps its history: when the contact leaves or is linked to another,
-- it goes.
-- Grain: one row a CRM contact.
WITH moved AS MATERIALIZED (
    SELECT
        contact_id,
        projected_id
    FROM ctct_link
    WHERE constant_contact_id <> projected_id OR projected_id = ''
    UNION ALL
    SELECT
        contact_id,
        projected_id
    FROM ctct_left_contact
    WHERE projected_id IS NOT NULL
),

linked AS (
    UPDATE ctct_link AS link
    SET projected_id = NULL
    FROM moved
    WHERE link.contact_id = moved.contact_id
),

gone AS (
    UPDATE ctct_left_contact AS gone
    SET projected_id = NULL
    FROM moved
    WHERE gone.contact_id = moved.contact_id
)

INSERT INTO link_change (crm_contact_id, constant_contact_id, is_new)
SELECT
    contact_id,
    projected_id,
    FALSE
FROM moved;

-- name: drop_moved_interactions
-- Take away the interactions of CRM contacts that are linked to another of the vendor's contacts
-- by now (or that are gone): those of link_change. A link that was only cleared keeps its history:
-- it did happen. Grain: one row an interaction.
DELETE FROM crm_interaction AS interaction
USING link_change AS link
WHERE NOT link.is_new AND interaction.contact_id = link.crm_contact_id;

-- name: drop_types
-- Take away the interactions of activity types that the CRM is no longer to show; the ledger keeps
-- them. Parameters: activity_types (array). Grain: one row an interaction.
DELETE FROM crm_interaction
WHERE activity_type = any(%(activity_types)s);

-- name: judge_opens_anew
-- Describe opens again that were projected before, where a sending or a click came to the ledger
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
        -- Before the first projection there is nothing to judge again.
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

-- name: rename_campaigns
-- Give the interactions that were made before the names that their campaigns have by now.
-- Parameters: stream_ids (of the campaigns that were renamed), position (event id).
-- Grain: one row an interaction.
UPDATE crm_interaction AS interaction
SET campaign_name = event.campaign_name, description = event.description
FROM ctct_interaction AS event
INNER JOIN ctct_link AS link ON event.contact_id = link.projected_id
WHERE
    event.stream_id = any(%(stream_ids)s)
    AND event.event_id <= %(position)s
    AND interaction.interaction_id = md5(concat_ws('|', link.contact_id, event.identity))
    AND (interaction.campaign_name, interaction.description)
    IS DISTINCT FROM (event.campaign_name, event.description);

-- name: take_new_links
-- Remember the CRM contacts that were linked since the last projection, and keep in link_change
-- which; links that moved are forgotten before. Grain: one row a CRM contact.
WITH linked AS (
    UPDATE ctct_link
    SET projected_id = constant_contact_id
    WHERE constant_contact_id IS NOT NULL AND projected_id IS NULL
    RETURNING contact_id, constant_contact_id
)

INSERT INTO link_change (crm_contact_id, constant_contact_id, is_new)
SELECT
    contact_id,
    constant_contact_id,
    TRUE
FROM linked;

-- name: interactions_of_contact
-- What a contact did with our emails, the newest first. Parameters: contact_id, most.
-- Grain: one row an interaction.
SELECT
    occurred_at,
    activity_type,
    description
FROM crm_interaction
WHERE contact_id = %(contact_id)s
ORDER BY occurred_at DESC, interaction_id ASC
LIMIT %(most)s;
