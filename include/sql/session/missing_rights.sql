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
        relation.relnamespace = current_schema()::regnamespace
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
