-- Whose tables a session sees. Grain: one row; `conn_id` is null where they are nobody's yet,
-- `in_sight` counts the accounts whose tables are in schemas that the session looks into.
SELECT
    (SELECT account.constant_contact_conn_id FROM ctct_account AS account) AS conn_id,
    (
        SELECT count(*)
        FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE
            relation.relname = 'ctct_account'
            AND namespace.nspname = any(current_schemas(FALSE))
    ) AS in_sight;
