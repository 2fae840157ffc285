-- Which activity types are wanted and not projected yet; keep them.
-- Parameters: activity_types (array). Grain: one row a type.
INSERT INTO ctct_projected_type (activity_type)
SELECT activity_type
FROM unnest(%(activity_types)s::text[]) AS wanted (activity_type)
ON CONFLICT (activity_type) DO NOTHING
RETURNING activity_type;
