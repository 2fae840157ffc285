-- It is never inlined: it has a subquery. A setting of its own says so to the planner, which else
-- reads all its letters to find out, each time that a statement has an address's key: for a
-- question to the gate half of the planning.
ALTER FUNCTION ctct_fold_case(text) SET search_path = pg_catalog;
