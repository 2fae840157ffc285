-- %(campaigns)s campaigns of one activity each, with their six streams; 100 weeks of sending.
INSERT INTO ctct_campaign (campaign_id, name, last_sent_at, mirrored_at)
SELECT
    'campaign-' || number,
    'Campaign ' || number,
    now() - make_interval(hours => 100 * 168 / %(campaigns)s * number),
    now()
FROM generate_series(1, %(campaigns)s) AS number;

INSERT INTO ctct_campaign_activity (campaign_activity_id, campaign_id, role, mirrored_at)
SELECT
    'activity-' || number,
    'campaign-' || number,
    'primary_email',
    now()
FROM generate_series(1, %(campaigns)s) AS number;

INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type)
SELECT
    'activity-' || number,
    type.name
FROM generate_series(1, %(campaigns)s) AS number
CROSS JOIN (
    VALUES ('send'), ('open'), ('click'), ('bounce'), ('forward'), ('opt_out')
) AS type (name)
ORDER BY number;
