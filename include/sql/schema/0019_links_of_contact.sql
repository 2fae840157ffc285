-- Which CRM contacts have a link is asked for each opt-in; without this all of them are read.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_contact'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_contact_link ON crm_contact (constant_contact_id)
        WHERE constant_contact_id IS NOT NULL;
    END IF;
END
$$;
