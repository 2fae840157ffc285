-- The planner has no other way to know how full a temporary table is. Grain: none.
ANALYZE wanted_membership;
