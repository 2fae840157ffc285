-- name: server
-- What a migration needs to know of the server, the database and the login. Grain: one row;
-- `schema` is null where search_path names none that the login may use, `elsewhere` names the
-- schemas with tables of ours, or the CRM's as shipped, where no new ones would go. Names as SQL
-- writes them.
SELECT
    current_setting('server_version_num')::integer AS version,
    current_setting('server_version') AS version_name,
    current_setting('server_encoding') AS encoding,
    current_setting('transaction_read_only')::boolean AS is_read_only,
    pg_is_in_recovery() AS is_standby,
    quote_ident(current_database()) AS database,
    quote_ident(current_user) AS login,
    current_setting('search_path') AS search_path,
    quote_ident(current_schema()) AS schema,
    array(
        SELECT DISTINCT quote_ident(namespace.nspname)
        FROM pg_class AS relation
        INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
        WHERE
            relation.relname IN ('ctct_schema_version', 'crm_contact')
            AND pg_table_is_visible(relation.oid)
            AND namespace.nspname <> current_schema()
    ) AS elsewhere;

-- name: missing_rights
-- What the login may not do to our tables and beside them. Grain: one row for each GRANT that would
-- mend it, made for who owns the schema, the database or the tables.
SELECT format('GRANT CREATE, USAGE ON SCHEMA %I TO %I', current_schema(), current_user) AS mend
WHERE NOT has_schema_privilege(current_schema(), 'CREATE')
UNION ALL
SELECT format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), current_user)
WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')
UNION ALL
SELECT
    format(
        'GRANT %s ON %s TO %I',
        lacking.privileges,
        string_agg(lacking.relation, ', ' ORDER BY lacking.relation),
        current_user
    )
FROM (
    SELECT
        relation.oid::regclass::text AS relation,
        string_agg(wanted.privilege, ', ' ORDER BY wanted.privilege) AS privileges
    FROM pg_class AS relation
    CROSS JOIN
        unnest(
            CASE
                WHEN relation.relkind = 'v' THEN ARRAY['SELECT']
                ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']
            END
        ) AS wanted (privilege)
    WHERE
        relation.relnamespace = quote_ident(current_schema())::regnamespace
        AND relation.relkind IN ('r', 'v')
        AND (
            starts_with(relation.relname, 'ctct_')
            OR relation.relname IN (
                'crm_opt_out_change', 'crm_list_membership', 'crm_interaction', 'crm_list'
            )
        )
        AND NOT has_table_privilege(relation.oid, wanted.privilege)
    GROUP BY relation.oid
) AS lacking
GROUP BY lacking.privileges;

-- name: uncounted
-- Tables whose rows the planner is to count: those that were just filled, and those of ours that
-- are no longer what it counted. Parameters: filled (names). Grain: one row a table.
SELECT relation.relname::text AS name
FROM pg_class AS relation
WHERE
    relation.relkind = 'r'
    AND pg_table_is_visible(relation.oid)
    AND (
        relation.relname = any(%(filled)s::text[])
        OR (
            (
                starts_with(relation.relname, 'ctct_')
                OR relation.relname IN (
                    'crm_opt_out_change', 'crm_list_membership', 'crm_interaction', 'crm_list'
                )
            )
            -- Eight pages are read at any rate in no time.
            AND pg_relation_size(relation.oid) > 65536
            AND (
                -- It takes a table for as full as it was, page for page: less than a row a page is
                -- one that was nearly empty. To count a large one at each wake-up costs too much.
                (relation.reltuples < relation.relpages AND relation.relpages <= 4096)
                -- Or it was never counted, or has grown since, or all of it is another.
                OR pg_relation_size(relation.oid)
                > 2::bigint * relation.relpages * current_setting('block_size')::bigint
                OR pg_stat_get_mod_since_analyze(relation.oid) > relation.reltuples + 1000
            )
        )
    )
ORDER BY relation.relname;

-- name: settle
-- Give the session our own settings, whatever the role, the database or the connection gave it; one
-- that this server does not know is passed over. Parameters: settings, as JSON.
-- Grain: one row for each setting that was otherwise, or is shown with a unit.
SELECT pg_catalog.set_config(wanted.name, wanted.setting, FALSE)
FROM pg_catalog.jsonb_each_text(%(settings)s::jsonb) AS wanted (name, setting)
WHERE
    -- not pg_settings, which makes a row of every setting that there is first
    pg_catalog.current_setting(wanted.name, TRUE) <> wanted.setting
    -- What waits for more than our own server's disk is the firm's wish.
    AND (
        wanted.name <> 'synchronous_commit'
        OR pg_catalog.current_setting(wanted.name, TRUE) IN ('off', 'local')
    );
