-- Whether an account's contacts are those of the default one, in public: it has none of its own.
-- Asked by a session whose first schema is the account's. Grain: one row.
SELECT
    current_schema() <> 'public'
    AND to_regclass('public.crm_opt_out_change') IS NOT NULL
    AND (
        to_regclass(quote_ident(current_schema()) || '.crm_contact') IS NULL
        OR to_regclass(quote_ident(current_schema()) || '.crm_contact_link') IS NOT NULL
    ) AS shares_contacts;
