-- How long the opt-outs of the last hour took is asked at every wake-up of a DAG: without an index
-- all that ever were done would be read for it.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_opt_out_change'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_opt_out_change_done
        ON crm_opt_out_change (processed_at) WHERE status = 'done';
    END IF;
END
$$;
