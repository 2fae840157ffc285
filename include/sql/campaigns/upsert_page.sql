-- Mirror campaigns. Parameters: arrays, one a column of CampaignRecord; mirrored_at.
-- Grain: one row a campaign. What the summary report says of it is left as it is.
INSERT INTO ctct_campaign (
    campaign_id, name, type, type_code, current_status, created_at, updated_at, mirrored_at
)
SELECT DISTINCT ON (campaign_id)
    campaign_id,
    name,
    type,
    type_code,
    current_status,
    created_at,
    updated_at,
    %(mirrored_at)s
FROM
    unnest(
        %(campaign_id)s::text[], %(name)s::text[], %(type)s::text[], %(type_code)s::integer[],
        %(current_status)s::text[], %(created_at)s::timestamptz[], %(updated_at)s::timestamptz[]
    ) AS page (campaign_id, name, type, type_code, current_status, created_at, updated_at)
ORDER BY campaign_id
ON CONFLICT (campaign_id) DO UPDATE SET
    name = excluded.name,
    type = excluded.type,
    type_code = excluded.type_code,
    current_status = excluded.current_status,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at,
    mirrored_at = excluded.mirrored_at;
