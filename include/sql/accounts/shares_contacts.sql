-- Whether an account's contacts are those of the default one, in public: it has none of its own.
-- Asked by a session whose first schema is the account's. Grain: one row; `has_contacts` where
-- there is a crm_contact already, or it is public, where the first migration makes one.
WITH own AS (
    SELECT
        to_regclass(quote_ident(current_schema()) || '.crm_contact') IS NOT NULL AS has_contacts,
        to_regclass(quote_ident(current_schema()) || '.crm_contact_link') IS NOT NULL AS has_links
)

SELECT
    current_schema() <> 'public'
    AND to_regclass('public.crm_opt_out_change') IS NOT NULL
    AND (NOT own.has_contacts OR own.has_links) AS shares_contacts,
    own.has_contacts OR current_schema() = 'public' AS has_contacts
FROM own;
