-- name: place
-- How the database orders and folds text, and whether what its indexes were made with is still
-- what the server has. Grain: one row; `has_changed` is null where the server cannot tell.
SELECT
    place.datctype AS locale,
    CASE place.datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' ELSE 'builtin' END
        AS provider,
    place.datcollversion <> pg_database_collation_actual_version(place.oid) AS has_changed
FROM pg_database AS place
WHERE place.datname = current_database();

-- name: keys
-- Addresses as the jobs compare them, and what the database's own locale makes of two capitals.
-- Parameters: addresses. Grain: one row an address, in order.
SELECT
    ctct_email_key(given.address) AS email_key,
    lower('IÄ') AS folded
FROM unnest(%(addresses)s::text[]) WITH ORDINALITY AS given (address, nth)
ORDER BY given.nth;

-- name: unsettled
-- Settings that the session has otherwise than our statements need. Parameters: settings, as JSON.
-- Grain: one row a setting.
SELECT known.name
FROM jsonb_each_text(%(settings)s::jsonb) AS wanted (name, setting)
INNER JOIN pg_settings AS known ON wanted.name = known.name
WHERE
    known.setting <> wanted.setting
    -- As session/settle leaves it.
    AND (known.name <> 'synchronous_commit' OR known.setting IN ('off', 'local'))
ORDER BY known.name;

-- name: given_settings
-- Settings that the role and the database give each session. Grain: one row a setting.
SELECT DISTINCT split_part(given.setting, '=', 1) AS name
FROM pg_db_role_setting AS kept
CROSS JOIN LATERAL unnest(kept.setconfig) AS given (setting)
WHERE
    kept.setrole IN (0, quote_ident(current_user)::regrole::oid)
    AND (
        kept.setdatabase = 0
        OR kept.setdatabase
        = (
            SELECT here.oid FROM pg_database AS here
            WHERE here.datname = current_database()
        )
    )
ORDER BY name;

-- name: mark_session
-- Give the session a mark of its own. Parameters: mark. Grain: one row.
SELECT
    set_config('constant_contact.check', %(mark)s, FALSE) AS mark,
    pg_backend_pid() AS backend;

-- name: session_mark
-- The mark of the session, and which process of the server answers. Grain: one row.
SELECT
    current_setting('constant_contact.check', TRUE) AS mark,
    pg_backend_pid() AS backend;

-- name: notices
-- How many transactions may be prepared (two-phase commit). Grain: one row.
SELECT current_setting('max_prepared_transactions')::integer AS prepared_transactions;

-- name: lacking_indexes
-- Indexes of ours that are not there, or that a failed REINDEX left without use. Parameters: names.
-- Grain: one row an index.
SELECT wanted.name
FROM unnest(%(names)s::text[]) AS wanted (name)
LEFT JOIN pg_class AS relation
    ON
        wanted.name = relation.relname
        AND relation.relnamespace = quote_ident(current_schema())::regnamespace
LEFT JOIN pg_index AS its ON relation.oid = its.indexrelid
WHERE its.indisvalid IS NOT TRUE
ORDER BY wanted.name;

-- name: sizes
-- How large the database and our tables are. Grain: one row; sizes in bytes.
SELECT
    pg_database_size(current_database()) AS database_bytes,
    current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean
        AS is_kept_up,
    coalesce(sum(pg_total_relation_size(relation.oid)), 0)::bigint AS our_bytes,
    count(relation.oid) AS our_tables
FROM pg_class AS relation
WHERE
    relation.relnamespace = quote_ident(current_schema())::regnamespace
    AND relation.relkind = 'r'
    AND (
        starts_with(relation.relname, 'ctct_')
        OR relation.relname IN (
            'crm_opt_out_change', 'crm_list_membership', 'crm_interaction', 'crm_list'
        )
    );

-- name: replica
-- Whether a server is a replica, and how far it is behind. Grain: one row; `behind_s` is null where
-- it hears no primary, and has applied nothing since it started.
SELECT
    pg_is_in_recovery() AS is_standby,
    CASE
        -- Of a primary that is not heard, nothing waits either.
        WHEN
            pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
            -- The state is hidden from a login without pg_read_all_stats.
            AND EXISTS (
                SELECT FROM pg_stat_wal_receiver AS receiver
                WHERE coalesce(receiver.status, 'streaming') = 'streaming'
            )
            THEN 0
        ELSE extract(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())::bigint
    END AS behind_s;

-- name: addresses
-- What the CRM's addresses and flags are. It follows a CTE, seam_contact: contacts.sql with our
-- names. Grain: one row; `shared` counts addresses, `sharing` the contacts that have one of those.
SELECT
    coalesce(sum(address.contacts), 0)::bigint AS contacts,
    coalesce(sum(address.flagged), 0)::bigint AS flagged,
    coalesce(sum(address.unknown_flags), 0)::bigint AS unknown_flags,
    coalesce(sum(address.contacts) FILTER (WHERE address.email_key IS NULL), 0)::bigint
        AS without_address,
    coalesce(sum(address.contacts) FILTER (WHERE NOT address.is_address), 0)::bigint AS malformed,
    count(*) FILTER (WHERE address.is_address AND address.contacts > 1) AS shared,
    coalesce(
        sum(address.contacts) FILTER (WHERE address.is_address AND address.contacts > 1), 0
    )::bigint AS sharing
FROM (
    SELECT
        keyed.email_key,
        keyed.email_key ~ '^[^@\s]+@[^@\s]+$' AS is_address,
        count(*) AS contacts,
        count(*) FILTER (WHERE keyed.do_not_email) AS flagged,
        count(*) FILTER (WHERE keyed.do_not_email IS NULL) AS unknown_flags
    FROM (
        SELECT
            seam_contact.do_not_email,
            ctct_email_key(seam_contact.email_address) AS email_key
        FROM seam_contact
    ) AS keyed
    GROUP BY keyed.email_key
) AS address;

-- name: sharing
-- Each row of a contact of the CRM, and all contacts that have an address of it. It follows a CTE,
-- seam_contact: contacts.sql with our names. Parameters: contact_id. Grain: one row of the CTE.
SELECT
    email_address,
    do_not_email
FROM seam_contact
WHERE
    contact_id = %(contact_id)s
    OR ctct_email_key(email_address) IN (
        SELECT ctct_email_key(own.email_address) FROM seam_contact AS own
        WHERE own.contact_id = %(contact_id)s
    );

-- name: try_lock
-- One check at a time tries writes. Grain: one row; holds to the session's end.
SELECT
    pg_try_advisory_lock(
        hashtextextended('constant_contact check', ctct_account_key())
    ) AS is_ours;

-- name: is_linked
-- Whether a contact of the CRM is linked to one of Constant Contact.
-- Parameters: constant_contact_id. Grain: one row.
SELECT exists(
    SELECT FROM ctct_link
    WHERE constant_contact_id = %(constant_contact_id)s
) AS is_linked;

-- name: rings
-- When the doorbell last rang, and what the comparison found of the last 30 days that it did not
-- ring for. The first look at a CRM finds all flags, within an hour. Grain: one row.
SELECT
    (
        SELECT max(change.changed_at) FROM crm_opt_out_change AS change
        WHERE NOT change.is_found AND change.changed_by <> 'constant_contact'
    ) AS last_rang_at,
    (
        SELECT count(*) FROM crm_opt_out_change AS change
        WHERE
            NOT change.is_found
            AND NOT change.do_not_email
            AND change.changed_by = 'constant_contact'
            AND change.changed_at > now() - interval '30 days'
    ) AS cleared_unrung,
    (
        SELECT count(DISTINCT flag.contact_id) FROM ctct_objection AS flag
        WHERE
            flag.source = 'flag'
            AND flag.change_id IS NULL
            AND flag.heard_at > now() - interval '30 days'
            AND flag.heard_at > (
                SELECT min(first.heard_at) + interval '1 hour' FROM ctct_objection AS first
                WHERE first.source = 'flag' AND first.change_id IS NULL
            )
            AND NOT EXISTS (
                SELECT FROM ctct_objection AS earlier
                WHERE
                    earlier.contact_id = flag.contact_id
                    AND earlier.source = 'flag'
                    AND earlier.objection_id < flag.objection_id
            )
            AND NOT EXISTS (
                SELECT FROM crm_opt_out_change AS rung
                WHERE
                    rung.contact_id = flag.contact_id
                    AND rung.do_not_email
                    AND NOT rung.is_found
            )
            AND NOT EXISTS (
                SELECT FROM ctct_link AS merged
                WHERE merged.merged_into = flag.contact_id
            )
    ) AS set_unrung;

-- name: last_results
-- The result of each assumption in the last check that tried it. Grain: one row an assumption.
SELECT DISTINCT ON (line.name)
    line.name,
    line.result
FROM ctct_check_line AS line
WHERE line.result <> 'not tried'
ORDER BY line.name ASC, line.check_id DESC;

-- name: keep
-- Keep a check with its lines. Parameters: duration_ms, package_version, and arrays with a place a
-- line: name, side, result, result_before, seen, remedy, exported_remedy.
-- Grain: one row, the check.
WITH made AS (
    INSERT INTO ctct_check (duration_ms, package_version)
    VALUES (%(duration_ms)s, %(package_version)s)
    RETURNING check_id, checked_at
),

lines AS (
    INSERT INTO ctct_check_line (
        check_id, position, name, side, result, result_before, seen, remedy, exported_remedy
    )
    SELECT
        made.check_id,
        line.nth,
        line.name,
        line.side,
        line.result,
        line.result_before,
        line.seen,
        line.remedy,
        line.exported_remedy
    FROM made
    CROSS JOIN
        unnest(
            %(name)s::text[],
            %(side)s::text[],
            %(result)s::text[],
            %(result_before)s::text[],
            %(seen)s::text[],
            %(remedy)s::text[],
            %(exported_remedy)s::text[]
        )
        WITH ORDINALITY AS line (
            name, side, result, result_before, seen, remedy, exported_remedy, nth
        )
)

SELECT checked_at FROM made;

-- name: last
-- The last check. Grain: one row, none before the first one.
SELECT
    check_id,
    checked_at,
    duration_ms,
    package_version
FROM ctct_check
ORDER BY check_id DESC
LIMIT 1;

-- name: lines
-- What a check saw. Parameters: check_id. Grain: one row an assumption, in the check's order.
SELECT
    name,
    side,
    result,
    result_before,
    seen,
    remedy,
    exported_remedy
FROM ctct_check_line
WHERE check_id = %(check_id)s
ORDER BY position;

-- name: forget
-- Forget checks that are older than the log is kept, but for the last one. Parameters: days.
-- Grain: one row a check.
DELETE FROM ctct_check
WHERE
    checked_at < clock_timestamp() - make_interval(days => %(days)s)
    AND check_id < (SELECT max(newest.check_id) FROM ctct_check AS newest);
