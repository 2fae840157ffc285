-- The planner has no other way to know, until the server looks by itself, that most of it changed.
-- Grain: none.
ANALYZE ctct_link;
