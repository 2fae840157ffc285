-- name: columns
-- What OpenLineage gets of our tables, as the session finds them. Parameters: tables (names).
-- Grain: one row a column, in the table's order; a table that is not there has none.
SELECT
    namespace.nspname AS schema,
    relation.relname AS table_name,
    attribute.attname AS column_name,
    current_database() AS database,
    format_type(attribute.atttypid, attribute.atttypmod) AS column_type,
    obj_description(relation.oid, 'pg_class') AS table_comment,
    col_description(relation.oid, attribute.attnum) AS column_comment
FROM unnest(%(tables)s::text[]) WITH ORDINALITY AS wanted (name, number)
INNER JOIN pg_class AS relation ON to_regclass(wanted.name) = relation.oid
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
INNER JOIN pg_attribute AS attribute ON relation.oid = attribute.attrelid
WHERE attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY wanted.number, attribute.attnum;
