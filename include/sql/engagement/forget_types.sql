-- Which activity types are projected and no longer wanted; forget them.
-- Parameters: activity_types (array, those wanted). Grain: one row a type.
DELETE FROM ctct_projected_type
WHERE activity_type <> ALL(%(activity_types)s)
RETURNING activity_type;
