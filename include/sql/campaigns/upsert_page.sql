-- Mirror campaigns. Parameters: arrays, one a column of CampaignRecord; mirrored_at.
-- Grain: one row a campaign. What the summary report says of it, and what is left out now and was
-- said before, stay as they are.
INSERT INTO ctct_campaign AS mirrored (
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
    name = coalesce(excluded.name, mirrored.name),
    type = coalesce(excluded.type, mirrored.type),
    type_code = coalesce(excluded.type_code, mirrored.type_code),
    current_status = coalesce(excluded.current_status, mirrored.current_status),
    created_at = coalesce(excluded.created_at, mirrored.created_at),
    updated_at = coalesce(excluded.updated_at, mirrored.updated_at),
    mirrored_at = excluded.mirrored_at;
