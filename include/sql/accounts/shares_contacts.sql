-- Whether an account has the default one's contacts, those in public. Asked by a session whose
-- first schema is the account's. Grain: one row; `has_own` where the account's schema has a
-- crm_contact of its own that is not the view of an older version, `has_shared` where the default
-- account is in public.
SELECT
    to_regclass(quote_ident(current_schema()) || '.crm_contact') IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM pg_class AS known
        WHERE
            known.relnamespace = current_schema()::regnamespace
            AND known.relname = 'crm_contact_link'
            AND known.relkind = 'r'
    ) AS has_own,
    current_schema() <> 'public'
    AND to_regclass('public.crm_opt_out_change') IS NOT NULL AS has_shared;
