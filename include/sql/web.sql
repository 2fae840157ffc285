-- name: call_choices
-- What the call log can be filtered by: each value once, found by hopping from one to the next in
-- its index. Parameters: most. Grain: one row a noun (dag_id, task_id, error_key) and value.
WITH RECURSIVE dag AS (
    SELECT min(dag_id) AS value
    FROM ctct_api_call
    UNION ALL
    SELECT (
        SELECT min(call.dag_id) FROM ctct_api_call AS call
        WHERE call.dag_id > dag.value
    )
    FROM dag
    WHERE dag.value IS NOT NULL
),

task AS (
    SELECT min(task_id) AS value
    FROM ctct_api_call
    UNION ALL
    SELECT (
        SELECT min(call.task_id) FROM ctct_api_call AS call
        WHERE call.task_id > task.value
    )
    FROM task
    WHERE task.value IS NOT NULL
),

error AS (
    SELECT min(error_key) AS value
    FROM ctct_api_call
    UNION ALL
    SELECT
        (
            SELECT min(call.error_key) FROM ctct_api_call AS call
            WHERE call.error_key > error.value
        )
    FROM error
    WHERE error.value IS NOT NULL
)

(SELECT
    'dag_id' AS noun,
    value
FROM dag
WHERE value IS NOT NULL
ORDER BY value LIMIT %(most)s)
UNION ALL
(SELECT
    'task_id',
    value
FROM task
WHERE value IS NOT NULL
ORDER BY value LIMIT %(most)s)
UNION ALL
(SELECT
    'error_key',
    value
FROM error
WHERE value IS NOT NULL
ORDER BY value LIMIT %(most)s);

-- name: call
-- One call with everything that is kept of it. Parameters: call_id. Grain: one row.
SELECT
    call_id,
    called_at,
    dag_id,
    task_id,
    run_id,
    map_index,
    try_number,
    method,
    path,
    status,
    error_key,
    error_message,
    items,
    reply_bytes,
    duration_ms,
    waited_ms,
    request_id,
    tracking_id,
    reply_body
FROM ctct_api_call
WHERE call_id = %(call_id)s;

-- name: matching_calls
-- The calls that a person asks for, in no order; null asks for all.
-- Parameters: since, until, dag_id, run_id, task_id, map_index, method, path_like, path_start (the
-- same without a query), status, status_least, status_most, is_failed, error_key, request_id.
-- Grain: one row a call.
SELECT
    call_id,
    called_at,
    dag_id,
    task_id,
    run_id,
    map_index,
    try_number,
    method,
    path,
    status,
    error_key,
    error_message,
    items,
    reply_bytes,
    duration_ms,
    waited_ms,
    request_id,
    tracking_id
FROM ctct_api_call
WHERE
    (%(since)s::timestamptz IS NULL OR called_at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR called_at < %(until)s::timestamptz)
    AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s::text)
    AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s::text)
    AND (%(task_id)s::text IS NULL OR task_id = %(task_id)s::text)
    AND (%(map_index)s::integer IS NULL OR map_index = %(map_index)s::integer)
    AND (%(method)s::text IS NULL OR method = %(method)s::text)
    AND (%(path_like)s::text IS NULL OR path LIKE %(path_like)s::text)
    AND (
        %(path_start)s::text IS NULL
        OR split_part(path, '?', 1) LIKE %(path_start)s::text
    )
    -- 0: no answer
    AND (%(status)s::integer IS NULL OR coalesce(status, 0) = %(status)s::integer)
    AND (
        %(status_least)s::integer IS NULL
        OR status BETWEEN %(status_least)s::integer AND %(status_most)s::integer
    )
    AND (NOT %(is_failed)s::boolean OR error_message IS NOT NULL)
    AND (%(error_key)s::text IS NULL OR error_key = %(error_key)s::text)
    AND (%(request_id)s::text IS NULL OR request_id = %(request_id)s::text);

-- name: count_unmet
-- What of both outboxes needs a person. Parameters: since (rejections before it are old news).
-- Grain: one row. A failed change counts until the contact has a newer one.
SELECT
    (
        SELECT count(*) FROM crm_opt_out_change
        WHERE status = 'held' AND do_not_email
    ) AS held_opt_outs,
    (
        SELECT count(*) FROM crm_opt_out_change
        WHERE status = 'held' AND NOT do_not_email
    ) AS held_opt_ins,
    (
        SELECT count(*)
        FROM crm_opt_out_change AS failed
        WHERE
            failed.status = 'failed'
            AND NOT EXISTS (
                SELECT
                FROM crm_opt_out_change AS newer
                WHERE newer.contact_id = failed.contact_id AND newer.change_id > failed.change_id
            )
    ) AS failed_opt_outs,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'held'
    ) AS held_memberships,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'failed'
    ) AS failed_memberships,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'rejected' AND processed_at >= %(since)s
    ) AS rejected_memberships;

-- name: last_token_call
-- The newest call to a token endpoint. Parameters: token_url.
-- Grain: one row; none if the call log has none.
SELECT
    called_at,
    status,
    error_key
FROM ctct_api_call
WHERE
    path LIKE 'http%%'
    AND path = %(token_url)s
ORDER BY called_at DESC
LIMIT 1;

-- name: usual_calls
-- What the forecast of the day's calls rests on: the hour that ends now, and the hours that are
-- left of the UTC day, each with the calls of the same hour on the days before.
-- Parameters: days (how many days before to look at, as far as the log reaches back).
-- Grain: one row an hour, the one that ends now first; the last one ends at midnight. `calls`: of
-- the hour that ends now, null of those to come; `usual_calls`: of a day, null if there is none.
WITH clock AS (
    SELECT
        statement_timestamp() AS now,
        (date_trunc('day', statement_timestamp() AT TIME ZONE 'UTC') + interval '1 day')
        AT TIME ZONE 'UTC' AS midnight
),

log AS (
    SELECT
        greatest(
            0,
            least(
                -- NULL where there is no call at all, which is no day either.
                coalesce(
                    floor(
                        extract(EPOCH FROM clock.now - interval '1 hour' - oldest.called_at) / 86400
                    ),
                    0
                ),
                %(days)s
            )
        )::integer AS days
    FROM clock
    CROSS JOIN (SELECT min(called_at) AS called_at FROM ctct_api_call) AS oldest
),

hour AS (
    SELECT
        clock.now,
        slot.starts_at,
        least(slot.starts_at + interval '1 hour', clock.midnight) AS ends_at
    FROM clock
    CROSS JOIN
        LATERAL generate_series(
            clock.now - interval '1 hour',
            clock.midnight - interval '1 microsecond',
            interval '1 hour'
        ) AS slot (starts_at)
)

SELECT
    hour.now,
    hour.starts_at,
    hour.ends_at,
    log.days,
    usual.calls / nullif(log.days, 0)::double precision AS usual_calls,
    CASE
        WHEN hour.starts_at < hour.now
            THEN
                (
                    SELECT count(*) FROM ctct_api_call AS call
                    WHERE call.called_at >= hour.starts_at AND call.called_at < hour.ends_at
                )
    END AS calls
FROM hour
CROSS JOIN log
CROSS JOIN
    LATERAL (
        SELECT count(*) AS calls
        FROM generate_series(1, log.days) AS past (days_ago)
        INNER JOIN
            ctct_api_call AS call
            ON
                call.called_at >= hour.starts_at - make_interval(days => past.days_ago)
                AND call.called_at < hour.ends_at - make_interval(days => past.days_ago)
    ) AS usual
ORDER BY hour.starts_at ASC;

-- name: live_lists
-- Lists that someone can be put on, of at most 1,000 that an account may have.
-- Grain: one row a list, by name.
SELECT
    list_id,
    membership_count,
    coalesce(name, list_id) AS name
FROM ctct_list
WHERE deleted_at IS NULL
ORDER BY lower(name) ASC, list_id ASC
LIMIT 1000;

-- name: holds
-- Stops of the circuit breaker, those without an answer first. Parameters: nouns.
-- Grain: one row a stop, at most 20.
SELECT
    hold_id,
    held_at,
    detail,
    asked_at,
    answer,
    answered_at,
    answered_by
FROM ctct_hold
WHERE noun = any(%(nouns)s)
ORDER BY answer IS NOT NULL, hold_id DESC
LIMIT 20;

-- name: bulk_activities
-- Calls that change memberships: those that the vendor works on, then those that ended last.
-- Grain: one row a call, at most 20.
SELECT
    activity.bulk_id,
    activity.kind,
    activity.state,
    activity.contacts,
    activity.activity_id,
    activity.sent_at,
    activity.ended_at,
    activity.vendor_state,
    activity.counts,
    activity.error,
    array(
        SELECT coalesce(list.name, named.list_id) AS name
        FROM unnest(activity.list_ids) AS named (list_id)
        LEFT JOIN ctct_list AS list ON named.list_id = list.list_id
        ORDER BY name
        LIMIT 5
    ) AS lists,
    activity.state <> 'done' AS goes_on
FROM ctct_bulk_activity AS activity
ORDER BY activity.state = 'done', activity.bulk_id DESC
LIMIT 20;

-- name: decisions
-- What was decided about a change of Do Not Email, who decided, and by which call.
-- Parameters: change_id. Grain: one row a decision, the newest first, at most 50.
SELECT
    decided_at,
    decision,
    detail,
    decided_by,
    permission_before,
    permission_after,
    call_method,
    call_status,
    request_id
FROM ctct_consent
WHERE change_id = %(change_id)s
ORDER BY consent_id DESC
LIMIT 50;

-- name: confirmation
-- The confirmation mail of a contact, which is sent once ever. Parameters: constant_contact_id.
-- Grain: one row, or none if it was never asked for.
SELECT
    asked_at,
    asked_by,
    answer
FROM ctct_confirmation
WHERE constant_contact_id = %(constant_contact_id)s;

-- name: engagement_by_day
-- Events of the last days by type. Parameters: days.
-- Grain: one row a UTC day, also one without an event, the oldest first; `events` by type.
WITH clock AS (
    SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today
),

counted AS (
    SELECT
        of_stream.day_utc,
        stream.activity_type,
        sum(of_stream.events) AS events
    FROM ctct_engagement_day AS of_stream
    INNER JOIN ctct_engagement_stream AS stream ON of_stream.stream_id = stream.stream_id
    CROSS JOIN clock
    WHERE
        of_stream.day_utc > clock.today - %(days)s::integer
        AND of_stream.day_utc <= clock.today
    GROUP BY of_stream.day_utc, stream.activity_type
)

SELECT
    clock.today - past.days_ago AS day_utc,
    coalesce(
        (
            SELECT jsonb_object_agg(counted.activity_type, counted.events)
            FROM counted
            WHERE counted.day_utc = clock.today - past.days_ago
        ),
        '{}'
    ) AS events
FROM clock
CROSS JOIN generate_series(0, %(days)s::integer - 1) AS past (days_ago)
ORDER BY day_utc ASC;

-- name: calls_by_hour
-- API calls of the last hours. Parameters: hours.
-- Grain: one row a clock hour, also one without a call, the oldest first; the last one is not over.
WITH hour AS (
    SELECT generate_series(
        date_trunc('hour', clock_timestamp()) - make_interval(hours => %(hours)s - 1),
        date_trunc('hour', clock_timestamp()),
        interval '1 hour'
    ) AS starts_at
)

SELECT
    hour.starts_at,
    made.calls
FROM hour
CROSS JOIN
    LATERAL (
        SELECT count(*) AS calls
        FROM ctct_api_call AS call
        WHERE
            call.called_at >= hour.starts_at
            AND call.called_at < hour.starts_at + interval '1 hour'
    ) AS made
ORDER BY hour.starts_at ASC;

-- name: lists
-- The lists to choose from; one that was deleted, too: it may be the one that is looked for.
-- Parameters: most. Grain: one row a list.
SELECT
    list_id,
    coalesce(name, list_id) AS name,
    deleted_at IS NOT NULL AS is_deleted
FROM ctct_list
ORDER BY deleted_at IS NOT NULL, lower(name), list_id
LIMIT %(most)s;

-- name: mirrored_contact
-- A contact of the vendor's as the mirror has it, with the names of its lists (null: not read yet).
-- Parameters: contact_id. Grain: one row.
SELECT
    mirrored.contact_id,
    mirrored.email_address,
    mirrored.email_key,
    mirrored.permission_to_send,
    mirrored.opt_out_source,
    mirrored.opt_out_date,
    mirrored.opt_out_reason,
    mirrored.updated_at,
    mirrored.deleted_at,
    mirrored.mirrored_at,
    CASE
        WHEN mirrored.list_ids IS NOT NULL
            THEN array(
                SELECT coalesce(list.name, on_it.list_id)
                FROM unnest(mirrored.list_ids) AS on_it (list_id)
                LEFT JOIN ctct_list AS list ON on_it.list_id = list.list_id
                WHERE list.deleted_at IS NULL
                ORDER BY coalesce(list.name, on_it.list_id)
            )
    END AS list_names
FROM ctct_contact AS mirrored
WHERE mirrored.contact_id = %(contact_id)s;

-- name: objections
-- What one contact's page shows of the register: the objections that stand against emailing it, and
-- those of its own that were lifted. Parameters: contact_id, constant_contact_id, address, most.
-- Grain: one row an objection, those that stand first, then the newest.
SELECT
    objection.objection_id,
    objection.source,
    objection.contact_id,
    objection.objected_at,
    objection.reason,
    objection.told_by,
    objection.lifted_at,
    objection.lifted_by,
    objection.evidence,
    objection.source IN ('flag', 'asked', 'vendor_account') AS may_be_lifted,
    coalesce(link.do_not_email, FALSE) AS flag_is_set
FROM (
    SELECT standing.objection_id
    FROM
        ctct_standing_objections(
            %(contact_id)s::text, %(constant_contact_id)s::text, %(address)s::text
        ) AS standing
    UNION
    SELECT lifted.objection_id FROM ctct_objection AS lifted
    WHERE lifted.contact_id = %(contact_id)s AND lifted.lifted_at IS NOT NULL
    UNION
    SELECT lifted.objection_id FROM ctct_objection AS lifted
    WHERE
        lifted.constant_contact_id = %(constant_contact_id)s::text
        AND lifted.lifted_at IS NOT NULL
) AS known
INNER JOIN ctct_objection AS objection ON known.objection_id = objection.objection_id
LEFT JOIN ctct_link AS link ON objection.contact_id = link.contact_id
ORDER BY objection.lifted_at IS NULL DESC, objection.objected_at DESC, objection.objection_id DESC
LIMIT %(most)s;
