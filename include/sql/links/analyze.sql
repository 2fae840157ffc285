-- The planner has no other way to know whether a few links change or all. Grain: none.
ANALYZE wanted_link;
