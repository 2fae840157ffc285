-- The pages of memberships and opt-outs filter tables of a million rows: a filter that few rows
-- pass has an index in the order of its page.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_list_membership'::regclass) IN ('r', 'p') THEN
        CREATE INDEX crm_list_membership_list
        ON crm_list_membership (list_id, requested_at, contact_id);
        CREATE INDEX crm_list_membership_removal
        ON crm_list_membership (requested_at, contact_id, list_id) WHERE action = 'remove';
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_opt_out_change'::regclass) IN ('r', 'p') THEN
        CREATE INDEX crm_opt_out_change_cleared
        ON crm_opt_out_change (change_id) WHERE NOT do_not_email;
    END IF;
END
$$;

-- One campaign's days, among those of all.
CREATE INDEX ctct_engagement_day_stream ON ctct_engagement_day (stream_id);
