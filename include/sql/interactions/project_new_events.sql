-- Make interactions of the events that came since the last projection, for the links projected
-- before. Parameters: position, upto (event ids), left_out (activity types).
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
ON CONFLICT (interaction_id) DO NOTHING;
