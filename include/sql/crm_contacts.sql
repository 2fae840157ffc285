-- name: count_doubled
-- How many ids of what was read are in the CRM more than once. It follows a CTE, seam_contact:
-- contacts.sql with our names. Grain: one row.
SELECT count(*) AS doubled
FROM (
    SELECT contact_id FROM seam_contact
    WHERE contact_id IN (SELECT read.contact_id FROM read_contact AS read)
    GROUP BY contact_id
    HAVING count(*) > 1
) AS doubled;

-- name: hear_doubled
-- Of an id that is in the CRM more than once each row that says no is heard with its address: only
-- one of them is kept. It follows a CTE, seam_contact: contacts.sql with our names.
-- Grain: one row an address.
INSERT INTO ctct_objection (source, contact_id, email_digest, objected_at, reason)
SELECT
    'flag',
    refusing.contact_id,
    refusing.email_digest,
    clock_timestamp(),
    refusing.reason
FROM (
    SELECT
        row_of.contact_id,
        ctct_email_digest(ctct_email_key(row_of.email_address)) AS email_digest,
        min(row_of.opt_out_reason) AS reason
    FROM seam_contact AS row_of
    INNER JOIN read_contact AS read ON row_of.contact_id = read.contact_id
    WHERE row_of.do_not_email
    GROUP BY row_of.contact_id, ctct_email_digest(ctct_email_key(row_of.email_address))
) AS refusing
WHERE
    refusing.email_digest IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.contact_id = refusing.contact_id
            AND heard.source = 'flag'
            AND heard.email_digest = refusing.email_digest
            AND heard.lifted_at IS NULL
    )
    AND refusing.contact_id IN (
        SELECT row_of.contact_id FROM seam_contact AS row_of
        GROUP BY row_of.contact_id
        HAVING count(*) > 1
    );

-- name: merged
-- The contacts of the CRM, each id once: a no if either of its rows says no. It follows a CTE,
-- seam_contact: contacts.sql with our names. Grain: one row an id.
SELECT
    contact_id,
    min(email_address) AS email_address,
    bool_or(do_not_email) AS do_not_email,
    min(first_name) AS first_name,
    min(last_name) AS last_name,
    bool_or(requested_by_contact) AS requested_by_contact,
    min(opt_out_reason) AS opt_out_reason,
    min(merged_into) AS merged_into,
    min(constant_contact_id) AS constant_contact_id
FROM seam_contact
GROUP BY contact_id;

-- name: stage
-- Contacts of the CRM that differ from what was seen of them; one a connection, empty at commit.
-- Grain: one row a contact, with the columns of contacts.sql.
CREATE TEMPORARY TABLE IF NOT EXISTS read_contact (
    contact_id text,
    email_address text,
    do_not_email boolean,
    first_name text,
    last_name text,
    requested_by_contact boolean,
    opt_out_reason text,
    merged_into text,
    constant_contact_id text,
    is_known boolean,
    is_absent boolean,
    erased_digest text
) ON COMMIT DELETE ROWS;

-- name: stage_absent
-- Contacts that were seen before and were not read now; one a connection, empty at commit.
-- Grain: one row a contact.
CREATE TEMPORARY TABLE IF NOT EXISTS absent_contact (contact_id text) ON COMMIT DELETE ROWS;

-- name: compare
-- Read the contacts of the CRM that differ from what was seen of them, and those that are absent
-- and wait for no answer. It follows a CTE, seam_contact: contacts.sql with our names. Of a contact
-- whose address is an erased person's only a digest was kept.
-- Parameters: contact_ids (those that seam_contact is about; null: all), knows_links (whether
-- contacts.sql yields them). Grain: one row a contact.
INSERT INTO read_contact (
    contact_id, email_address, do_not_email, first_name, last_name, requested_by_contact,
    opt_out_reason, merged_into, constant_contact_id, is_known, is_absent
)
SELECT
    coalesce(read.contact_id, known.contact_id),
    read.email_address,
    read.do_not_email,
    read.first_name,
    read.last_name,
    read.requested_by_contact,
    read.opt_out_reason,
    read.merged_into,
    read.constant_contact_id,
    known.contact_id IS NOT NULL,
    read.is_read IS NULL
FROM (
    SELECT
        seam_contact.*,
        TRUE AS is_read
    FROM seam_contact
) AS read
FULL JOIN (
    SELECT * FROM ctct_link
    WHERE %(contact_ids)s::text[] IS NULL OR contact_id = any(%(contact_ids)s::text[])
) AS known ON read.contact_id = known.contact_id
WHERE
    known.contact_id IS NULL
    OR CASE
        WHEN read.is_read IS NULL THEN known.absence_hold_id IS NULL
        WHEN known.absence_hold_id IS NOT NULL THEN TRUE
        WHEN
            (known.do_not_email, known.requested_by_contact, known.merged_into)
            IS DISTINCT FROM (read.do_not_email, read.requested_by_contact, read.merged_into)
            THEN TRUE
        WHEN %(knows_links)s AND known.written_id IS DISTINCT FROM read.constant_contact_id
            THEN TRUE
        WHEN known.erased_digest IS NULL
            THEN
                (known.email_address, known.first_name, known.last_name, known.opt_out_reason)
                IS DISTINCT FROM
                (read.email_address, read.first_name, read.last_name, read.opt_out_reason)
        ELSE known.erased_digest <> all(ctct_email_digests(read.email_address))
    END;

-- name: find_absent
-- Contacts that were seen before and are not in the CRM now. Grain: one row a contact.
WITH absent AS (
    DELETE FROM read_contact
    WHERE is_absent
    RETURNING contact_id
)

INSERT INTO absent_contact (contact_id)
SELECT contact_id FROM absent;

-- name: drop_without_id
-- A contact without an id is like any other. Grain: one row a contact.
DELETE FROM read_contact
WHERE contact_id IS NULL OR contact_id = '';

-- name: stage_copied
-- Where contacts stand that were copied from another database; one a connection, empty at commit.
-- Grain: one row of contacts.sql, with its columns.
CREATE TEMPORARY TABLE IF NOT EXISTS copied_contact (
    contact_id text,
    email_address text,
    do_not_email boolean,
    first_name text,
    last_name text,
    requested_by_contact boolean,
    opt_out_reason text,
    merged_into text,
    constant_contact_id text
) ON COMMIT DELETE ROWS;

-- name: doorbells
-- Triggers that ring here. Grain: one row a trigger; its `arguments` end with a zero byte each,
-- `columns` are those of its table that a trigger sees, `enabled` is O, A, R or D as in pg_trigger.
SELECT
    bell.tgname AS name,
    bell.tgargs AS arguments,
    bell.tgenabled::text AS enabled,
    bell.tgrelid::regclass::text AS relation,
    bell.tgrelid::bigint AS relation_id,
    array(
        SELECT attribute.attname::text FROM pg_attribute AS attribute
        WHERE
            attribute.attrelid = bell.tgrelid
            AND attribute.attnum > 0
            AND NOT attribute.attisdropped
            -- Virtual generated columns (PostgreSQL 18) are null for it.
            AND attribute.attgenerated <> 'v'
    ) AS columns
FROM pg_trigger AS bell
WHERE
    bell.tgfoid = to_regprocedure(quote_ident(current_schema()) || '.ctct_ring()')
    AND bell.tgparentid = 0
ORDER BY bell.tgname;

-- name: unrung_heirs
-- Tables that inherit columns from a table that rings, and not its triggers, as partitions do.
-- Grain: one row a table.
WITH RECURSIVE bell AS (
    SELECT DISTINCT tgrelid AS relation_id
    FROM pg_trigger
    WHERE tgfoid = to_regprocedure(quote_ident(current_schema()) || '.ctct_ring()')
),

heir AS (
    SELECT inhrelid AS relation_id
    FROM pg_inherits
    WHERE inhparent IN (SELECT bell.relation_id FROM bell)
    UNION
    SELECT below.inhrelid
    FROM heir
    INNER JOIN pg_inherits AS below ON heir.relation_id = below.inhparent
)

SELECT format('%I.%I', namespace.nspname, relation.relname) AS relation
FROM heir
INNER JOIN pg_class AS relation ON heir.relation_id = relation.oid
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE heir.relation_id NOT IN (SELECT bell.relation_id FROM bell)
ORDER BY relation;

-- name: rights
-- What the session's role may do with tables, and what they are. Parameters: schemas (each null:
-- where the search path finds it), names, are_written (whether a file writes it).
-- Grain: one row a table or view that there is.
SELECT
    named.is_written,
    login.rolinherit AS inherits,
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
    has_table_privilege(relation.oid, 'SELECT') AS may_select_all,
    has_table_privilege(relation.oid, 'UPDATE') AS may_update_all,
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
INNER JOIN pg_roles AS login ON current_user = login.rolname
WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f') AND relation.relpersistence <> 't'
ORDER BY relation;

-- name: planned
-- A table that a plan names, as SQL writes it; of a partition the partitioned table.
-- Parameters: schema_name, name, alias. Grain: one row.
SELECT
    format('%%I.%%I', namespace.nspname, relation.relname) AS relation,
    quote_ident(%(alias)s) AS alias
FROM pg_class AS planned
INNER JOIN pg_namespace AS place ON planned.relnamespace = place.oid
INNER JOIN pg_class AS relation
    ON coalesce(pg_partition_root(planned.oid), planned.oid) = relation.oid
INNER JOIN pg_namespace AS namespace ON relation.relnamespace = namespace.oid
WHERE place.nspname = %(schema_name)s AND planned.relname = %(name)s;

-- name: lock
-- One look at the CRM's contacts at a time, to the transaction's end. Grain: one row.
SELECT pg_advisory_xact_lock(hashtextextended('constant_contact crm contacts', ctct_account_key()));

-- name: forget_erased
-- Of contacts whose address is an erased person's nothing is kept but a digest, though the CRM
-- still has them. Grain: one row a contact.
UPDATE read_contact AS read
SET
    email_address = NULL,
    first_name = NULL,
    last_name = NULL,
    opt_out_reason = NULL,
    erased_digest = erased.email_digest
FROM (
    SELECT
        new.contact_id,
        objection.email_digest
    FROM read_contact AS new
    LEFT JOIN ctct_link AS known ON new.contact_id = known.contact_id
    CROSS JOIN LATERAL unnest(ctct_email_digests(new.email_address)) AS address (email_digest)
    INNER JOIN ctct_objection AS objection ON address.email_digest = objection.email_digest
    WHERE
        objection.source = 'erasure'
        AND objection.lifted_at IS NULL
        AND known.email_address IS DISTINCT FROM new.email_address
) AS erased
WHERE read.contact_id = erased.contact_id;

-- name: keep
-- Keep what was read: contacts of the CRM that differ from what was seen of them. A new one comes
-- with the link that the CRM has from before, unless that is of another contact with another
-- address, of which it is a copy; one that returns with its address, with the link that it had and
-- its interactions. With another address it may be another person: those go.
-- Parameters: knows_links (whether contacts.sql yields them).
-- Grain: one row: contacts that are new, and those that changed.
WITH changed AS (
    UPDATE ctct_link AS link
    SET
        email_address = read.email_address,
        first_name = read.first_name,
        last_name = read.last_name,
        do_not_email = read.do_not_email,
        requested_by_contact = read.requested_by_contact,
        opt_out_reason = read.opt_out_reason,
        merged_into = read.merged_into,
        erased_digest = read.erased_digest,
        written_id
        = CASE WHEN %(knows_links)s THEN read.constant_contact_id ELSE link.written_id END,
        absence_hold_id = NULL,
        seen_at = clock_timestamp()
    FROM read_contact AS read
    WHERE read.is_known AND link.contact_id = read.contact_id
    RETURNING link.contact_id
),

appeared AS (
    INSERT INTO ctct_link (
        contact_id, constant_contact_id, email_address, first_name, last_name, do_not_email,
        requested_by_contact, opt_out_reason, merged_into, written_id, projected_id, erased_digest
    )
    SELECT
        read.contact_id,
        CASE
            WHEN read.erased_digest IS NOT NULL THEN NULL
            WHEN linked.contact_id IS NOT NULL THEN linked.contact_id
            WHEN
                NOT EXISTS (
                    SELECT FROM ctct_link AS other
                    WHERE
                        other.constant_contact_id = btrim(read.constant_contact_id)
                        AND other.email_key IS DISTINCT FROM ctct_email_key(read.email_address)
                        AND other.contact_id NOT IN (
                            SELECT absent.contact_id FROM absent_contact AS absent
                        )
                )
                THEN nullif(btrim(read.constant_contact_id), '')
        END,
        read.email_address,
        read.first_name,
        read.last_name,
        read.do_not_email,
        read.requested_by_contact,
        read.opt_out_reason,
        read.merged_into,
        read.constant_contact_id,
        CASE
            WHEN gone.projected_id = linked.contact_id THEN gone.projected_id
            WHEN gone.projected_id IS NOT NULL THEN ''
        END,
        read.erased_digest
    FROM read_contact AS read
    LEFT JOIN ctct_left_contact AS gone ON read.contact_id = gone.contact_id
    LEFT JOIN ctct_contact AS linked
        ON
            gone.constant_contact_id = linked.contact_id
            AND linked.deleted_at IS NULL
            AND linked.email_key = ctct_email_key(read.email_address)
    WHERE NOT read.is_known
    RETURNING contact_id
),

returned AS (
    DELETE FROM ctct_left_contact AS gone
    USING appeared
    WHERE gone.contact_id = appeared.contact_id
)

SELECT
    (SELECT count(*) FROM appeared) AS appeared,
    (SELECT count(*) FROM changed) AS changed;

-- name: count_absent
-- How many contacts are absent. Grain: one row.
SELECT count(*) AS absent FROM absent_contact;

-- name: count
-- How many contacts the CRM has, as seen. Grain: one row.
SELECT count(*) AS contacts FROM ctct_link;

-- name: hold_absent
-- Too many contacts are absent at once: none has left until a person agrees. Parameters: detail.
-- Grain: one row a contact.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('crm_contacts', %(detail)s)
    RETURNING hold_id
)

UPDATE ctct_link AS link
SET absence_hold_id = hold.hold_id
FROM hold, absent_contact AS absent
WHERE link.contact_id = absent.contact_id;

-- name: leave
-- The absent contacts have left the CRM. Grain: one row a contact.
WITH gone AS (
    DELETE FROM ctct_link AS link
    USING absent_contact AS absent
    WHERE link.contact_id = absent.contact_id
    RETURNING link.contact_id, link.constant_contact_id, link.projected_id
)

INSERT INTO ctct_left_contact AS known (contact_id, constant_contact_id, projected_id)
SELECT
    contact_id,
    constant_contact_id,
    projected_id
FROM gone
ON CONFLICT (contact_id) DO UPDATE SET
    constant_contact_id = excluded.constant_contact_id,
    projected_id = excluded.projected_id,
    left_at = clock_timestamp();

-- name: reject_held
-- A person says that these contacts have not left the CRM: they count as there until they are seen
-- again. Parameters: hold_id. Grain: one row a contact.
SELECT contact_id FROM ctct_link
WHERE absence_hold_id = %(hold_id)s;

-- name: release_held
-- A person agrees that these contacts have left the CRM; but not those that were seen again.
-- Parameters: hold_id. Grain: one row a contact.
WITH gone AS (
    DELETE FROM ctct_link
    WHERE absence_hold_id = %(hold_id)s::bigint
    RETURNING contact_id, constant_contact_id, projected_id
)

INSERT INTO ctct_left_contact AS known (contact_id, constant_contact_id, projected_id)
SELECT
    contact_id,
    constant_contact_id,
    projected_id
FROM gone
ON CONFLICT (contact_id) DO UPDATE SET
    constant_contact_id = excluded.constant_contact_id,
    projected_id = excluded.projected_id,
    left_at = clock_timestamp();

-- name: show_held
-- What a person sees before the answer. Parameters: hold_id. Grain: one row, with ten contacts.
SELECT
    'the CRM' AS changed_by,
    'no longer in the CRM' AS reason,
    count(*) AS contacts,
    min(seen_at) AS first_changed_at,
    max(seen_at) AS last_changed_at,
    (array_agg(contact_id ORDER BY contact_id))[:10] AS sample
FROM ctct_link
WHERE absence_hold_id = %(hold_id)s
HAVING count(*) > 0;
