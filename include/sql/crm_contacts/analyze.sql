-- The planner has no other way to know whether one contact was read or a million. Grain: none.
ANALYZE read_contact;
