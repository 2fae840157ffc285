-- What the catalog says of our tables and views, in order of name.
-- Grain: one row a column.
SELECT
    relation.relname,
    relation.relkind = 'v',
    obj_description(relation.oid, 'pg_class'),
    attribute.attname,
    format_type(attribute.atttypid, attribute.atttypmod),
    coalesce(attribute.attnum = any(key.conkey), FALSE),
    NOT attribute.attnotnull,
    (
        SELECT concat(target.relname, '.', target_column.attname)
        FROM pg_constraint AS foreign_key
        INNER JOIN pg_class AS target ON foreign_key.confrelid = target.oid
        INNER JOIN pg_attribute AS target_column
            ON
                target.oid = target_column.attrelid
                AND foreign_key.confkey[1] = target_column.attnum
        WHERE
            foreign_key.contype = 'f'
            AND foreign_key.conrelid = relation.oid
            AND foreign_key.conkey = ARRAY[attribute.attnum]
    ),
    col_description(relation.oid, attribute.attnum)
FROM pg_class AS relation
INNER JOIN pg_attribute AS attribute ON relation.oid = attribute.attrelid
LEFT JOIN pg_constraint AS key ON relation.oid = key.conrelid AND key.contype = 'p'
WHERE
    relation.relnamespace = current_schema()::regnamespace
    AND relation.relkind IN ('r', 'p', 'v')
    AND relation.relname ~ '^(crm|ctct)_'
    AND attribute.attnum > 0
    AND NOT attribute.attisdropped
ORDER BY relation.relname ASC, attribute.attnum ASC;
