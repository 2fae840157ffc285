-- Plan the imports of new contacts: one row of the import for each address, however many CRM
-- contacts have it; those that want the same lists together, up to so many bytes and contacts. The
-- bytes are counted as JSON that escapes all that is not ASCII, six for a character or more.
-- Parameters: most_bytes, least_bytes (a contact counts as: bounds their number), fixed_bytes (of a
-- contact beside its texts). Grain: one row a request.
WITH address AS (
    SELECT
        target,
        array_agg(DISTINCT list_id ORDER BY list_id) AS list_ids,
        concat(target, min(first_name), min(last_name)) AS texts
    FROM routed_membership
    WHERE route = 'import'
    GROUP BY target
),

weighed AS (
    SELECT
        target,
        list_ids,
        greatest(
            %(least_bytes)s,
            %(fixed_bytes)s
            + 5 * octet_length(to_json(texts)::text)
            - 4 * char_length(to_json(texts)::text)
        ) AS bytes
    FROM address
),

member AS MATERIALIZED (
    SELECT
        target,
        list_ids,
        (
            sum(bytes) OVER (PARTITION BY list_ids ORDER BY target ROWS UNBOUNDED PRECEDING) - bytes
        ) / %(most_bytes)s AS part
    FROM weighed
),

call AS MATERIALIZED (
    SELECT
        list_ids,
        part,
        nextval(pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id')) AS bulk_id,
        count(*) AS contacts
    FROM member
    GROUP BY list_ids, part
),

planned AS (
    INSERT INTO ctct_bulk_activity (bulk_id, kind, list_ids, contacts)
    SELECT
        bulk_id,
        'import',
        list_ids,
        contacts
    FROM call
)

INSERT INTO ctct_bulk_activity_row (
    bulk_id, contact_id, list_id, action, requested_at, target
)
SELECT
    call.bulk_id,
    routed.contact_id,
    routed.list_id,
    routed.action,
    routed.requested_at,
    routed.target
FROM call
INNER JOIN member ON call.list_ids = member.list_ids AND call.part = member.part
INNER JOIN routed_membership AS routed ON member.target = routed.target
WHERE routed.route = 'import';
