-- How many living contacts have a permission or a source of their opt-out that the contract does
-- not name. Parameters: permissions, opt_out_sources (those that it names).
-- Grain: one row a noun (permission, opt-out source) and value.
SELECT
    told.noun,
    told.value,
    count(*) AS count
FROM ctct_contact AS contact
CROSS JOIN
    LATERAL (
        VALUES
        ('permission', contact.permission_to_send, %(permissions)s::text[]),
        ('opt-out source', contact.opt_out_source, %(opt_out_sources)s::text[])
    ) AS told (noun, value, known)
WHERE contact.deleted_at IS NULL AND told.value <> all(told.known)
GROUP BY told.noun, told.value
ORDER BY told.noun, told.value;
