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
