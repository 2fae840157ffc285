-- Triggers that ring here. Grain: one row a trigger; its `arguments` end with a zero byte each,
-- `columns` are those of its table.
SELECT
    bell.tgname AS name,
    bell.tgargs AS arguments,
    bell.tgrelid::regclass::text AS relation,
    bell.tgrelid::bigint AS relation_id,
    array(
        SELECT attribute.attname::text FROM pg_attribute AS attribute
        WHERE
            attribute.attrelid = bell.tgrelid
            AND attribute.attnum > 0
            AND NOT attribute.attisdropped
    ) AS columns
FROM pg_trigger AS bell
WHERE
    bell.tgfoid = to_regprocedure(quote_ident(current_schema()) || '.ctct_ring()')
    AND bell.tgparentid = 0
ORDER BY bell.tgname;
