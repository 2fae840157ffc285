-- The circuit breaker asks at every wake-up which removals a run has done: without an index all
-- requests that ever were would be read for it.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_list_membership'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_list_membership_removed
        ON crm_list_membership (processed_at) WHERE status = 'done' AND action = 'remove';
    END IF;
END
$$;
