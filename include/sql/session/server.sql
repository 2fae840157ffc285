-- What a migration needs to know of the server, the database and the login. Grain: one row;
-- `schema` is null where search_path names none that the login may use, `elsewhere` names the
-- schemas with tables of ours, or the CRM's as shipped, where no new ones would go.
SELECT
    current_setting('server_version_num')::integer AS version,
    current_setting('server_version') AS version_name,
    current_setting('server_encoding') AS encoding,
    current_setting('transaction_read_only')::boolean AS is_read_only,
    pg_is_in_recovery() AS is_standby,
    current_database()::text AS database,
    current_user::text AS login,
    current_setting('search_path') AS search_path,
    current_schema()::text AS schema,
    array(
        SELECT DISTINCT namespace.nspname::text
        FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE
            relation.relname IN ('ctct_schema_version', 'crm_contact')
            AND pg_table_is_visible(relation.oid)
            AND namespace.nspname <> current_schema()
    ) AS elsewhere;
