-- What a schema is made of. Grain: one row a column, constraint, index, trigger, function, view,
-- or grants and options of one of these.
SELECT
    format('column %s.%s', relation.relname, attribute.attname) AS what,
    concat_ws(
        ' ', row_number() OVER (PARTITION BY relation.oid ORDER BY attribute.attnum),
        format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull,
        attribute.attidentity, attribute.attgenerated,
        pg_get_expr(standard.adbin, standard.adrelid),
        col_description(relation.oid, attribute.attnum), obj_description(relation.oid, 'pg_class')
    ) AS definition
FROM pg_class AS relation
INNER JOIN pg_attribute AS attribute ON relation.oid = attribute.attrelid
LEFT JOIN pg_attrdef AS standard
    ON attribute.attrelid = standard.adrelid AND attribute.attnum = standard.adnum
WHERE
    relation.relnamespace = current_schema()::regnamespace
    AND relation.relkind IN ('r', 'v')
    AND attribute.attnum > 0
    AND NOT attribute.attisdropped
UNION ALL
SELECT
    format('constraint %s', conname),
    concat(conrelid::regclass, ' ', pg_get_constraintdef(oid))
FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace
UNION ALL
SELECT
    format('index %s', indexname),
    indexdef
FROM pg_indexes
WHERE schemaname = current_schema()
UNION ALL
SELECT
    format('trigger %s', tgname),
    pg_get_triggerdef(oid)
FROM pg_trigger
WHERE NOT tgisinternal
UNION ALL
SELECT
    format('function %s', oid::regprocedure),
    pg_get_functiondef(oid)
FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'
UNION ALL
SELECT
    format('view %s', viewname),
    definition
FROM pg_views
WHERE schemaname = current_schema()
UNION ALL
SELECT
    format('options %s', relname),
    concat_ws(' ', reloptions, replace(relacl::text, pg_get_userbyid(relowner), 'owner'))
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v', 'i', 'S')
UNION ALL
SELECT
    format('rights %s', oid::regprocedure),
    concat_ws(
        ' ', replace(proacl::text, pg_get_userbyid(proowner), 'owner'),
        obj_description(oid, 'pg_proc')
    )
FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace;
