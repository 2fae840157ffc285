-- About how many calls the routed requests need, all being for one list.
-- Parameters: most_contacts (in a bulk change), most_bytes (in an import), import_calls (that an
-- import costs), fixed_bytes (of a contact in it, beside its texts). Grain: one row.
SELECT
    ceil(count(DISTINCT target) FILTER (WHERE route = 'add') / %(most_contacts)s::numeric)
    + ceil(count(DISTINCT target) FILTER (WHERE route = 'remove') / %(most_contacts)s::numeric)
    + count(DISTINCT target) FILTER (WHERE route = 'create')
    + %(import_calls)s * ceil(
        coalesce(
            sum(%(fixed_bytes)s + octet_length(concat(target, first_name, last_name)))
            FILTER (WHERE route = 'import'),
            0
        ) / %(most_bytes)s::numeric
    ) AS calls
FROM routed_membership;
