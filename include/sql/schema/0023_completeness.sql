-- Nothing missing in silence: what the contract does not name is read, and what the vendor counts
-- is held against what is stored.

-- Activities of roles that the contract does not name may have reports, which was learned late:
-- those that are known already get their streams.
INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type)
SELECT
    activity.campaign_activity_id,
    tracker.activity_type
FROM ctct_campaign_activity AS activity
CROSS JOIN (
    VALUES ('send'), ('open'), ('click'), ('bounce'), ('forward'), ('opt_out')
) AS tracker (activity_type)
WHERE activity.role <> 'permalink'
ORDER BY activity.campaign_activity_id
ON CONFLICT (campaign_activity_id, activity_type) DO NOTHING;

COMMENT ON COLUMN ctct_campaign_activity.role IS
'The vendor''s word; a permalink has no report, an activity of any other role may have one.';

ALTER TABLE ctct_engagement_stream ADD COLUMN no_report_since timestamptz;
COMMENT ON COLUMN ctct_engagement_stream.no_report_since IS
'Since when the vendor itself answers that there is no such report; asked ever more rarely.';
