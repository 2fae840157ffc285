-- The planner has no other way to know whether it is about ten contacts or all. Grain: none.
ANALYZE link_change;
