-- The summary report goes on with campaigns that were removed: a call a night each.
ALTER TABLE ctct_campaign
ADD COLUMN refused_since timestamptz,
ADD COLUMN refused_at timestamptz;
COMMENT ON COLUMN ctct_campaign.refused_since IS
'Since when Constant Contact refuses to name its activities.';
COMMENT ON COLUMN ctct_campaign.refused_at IS
'When it last did; it is asked again when as long has passed again. Null: it does not.';
