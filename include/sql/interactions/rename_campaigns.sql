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
