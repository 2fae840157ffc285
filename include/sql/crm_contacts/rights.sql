-- What the session's role may do with tables, and what they are. Parameters: schemas (each null:
-- where the search path finds it), names, are_written (whether a file writes it).
-- Grain: one row a table or view that there is.
SELECT
    named.is_written,
    relation.oid::bigint AS relation_id,
    format('%%I.%%I', namespace.nspname, relation.relname) AS relation,
    quote_ident(namespace.nspname) AS schema_name,
    quote_ident(current_user) AS role,
    quote_ident(pg_get_userbyid(relation.relowner)) AS owner,
    relation.relkind IN ('v', 'm') AS is_view,
    pg_has_role(relation.relowner, 'USAGE') AS is_owner,
    has_schema_privilege(namespace.oid, 'USAGE') AS may_use_schema,
    has_any_column_privilege(relation.oid, 'SELECT') AS may_select,
    has_any_column_privilege(relation.oid, 'UPDATE') AS may_update,
    has_table_privilege(relation.oid, 'TRIGGER') AS may_trigger,
    row_security_active(relation.oid) AS hides_rows
FROM
    unnest(%(schemas)s::text[], %(names)s::text[], %(are_written)s::boolean[])
        AS named (schema_name, name, is_written)
INNER JOIN pg_class AS relation ON named.name = relation.relname
INNER JOIN pg_namespace AS namespace
    ON
        relation.relnamespace = namespace.oid
        AND coalesce(named.schema_name = namespace.nspname, pg_table_is_visible(relation.oid))
WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f') AND relation.relpersistence <> 't'
ORDER BY relation;
