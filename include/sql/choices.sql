-- name: add
-- Keep what a person chose. Parameters: list_id, action, criteria (JSON), unknown, made_by.
-- Grain: one row.
INSERT INTO ctct_choice (list_id, action, criteria, unknown, made_by)
VALUES (%(list_id)s, %(action)s, %(criteria)s::jsonb, %(unknown)s, %(made_by)s)
RETURNING choice_id;

-- name: add_contacts
-- Keep the contacts that a person chose. Parameters: choice_id, contact_id (array).
-- Grain: one row a contact.
INSERT INTO ctct_choice_contact (choice_id, contact_id)
SELECT
    %(choice_id)s,
    chosen.contact_id
FROM unnest(%(contact_id)s::text[]) AS chosen (contact_id);

-- name: leave_out
-- Leave contacts out of a choice, or take them in again.
-- Parameters: choice_id, shown (array of ids), ticked (array: those of them to take in).
-- Grain: one row a contact that changes.
UPDATE ctct_choice_contact
SET is_left_out = contact_id <> all(%(ticked)s::text[])
WHERE
    choice_id = %(choice_id)s
    AND contact_id = any(%(shown)s::text[])
    AND is_left_out = (contact_id = any(%(ticked)s::text[]));

-- name: leave_out_all
-- Leave all contacts out of a choice, or take all in again. Parameters: choice_id, is_left_out.
-- Grain: one row a contact that changes.
UPDATE ctct_choice_contact
SET is_left_out = %(is_left_out)s
WHERE choice_id = %(choice_id)s AND is_left_out <> %(is_left_out)s;

-- name: edit
-- A choice is about to be changed, unless it was submitted already; it is ours to the
-- transaction's end. Parameters: choice_id. Grain: one row, if it may be changed.
UPDATE ctct_choice
SET edits = edits + 1, foretold = NULL
WHERE choice_id = %(choice_id)s AND submitted_at IS NULL;

-- name: look
-- One choice as it stands. Parameters: choice_id. Grain: one row, or none.
SELECT
    choice.choice_id,
    choice.list_id,
    choice.action,
    choice.criteria,
    choice.unknown,
    choice.made_at,
    choice.made_by,
    choice.edits,
    choice.foretold,
    choice.foretold_at,
    choice.submitted_at,
    choice.submitted_by,
    choice.requested_at,
    choice.report,
    found.contacts,
    found.left_out,
    coalesce(list.name, choice.list_id) AS list_name
FROM ctct_choice AS choice
LEFT JOIN ctct_list AS list ON choice.list_id = list.list_id
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS contacts,
            count(*) FILTER (WHERE chosen.is_left_out) AS left_out
        FROM ctct_choice_contact AS chosen
        WHERE chosen.choice_id = choice.choice_id
    ) AS found
WHERE choice.choice_id = %(choice_id)s;

-- name: foretell
-- Keep what was foretold of a choice, unless it changed meanwhile.
-- Parameters: choice_id, edits, foretold (JSON). Grain: one row.
UPDATE ctct_choice
SET foretold = %(foretold)s::jsonb, foretold_at = clock_timestamp()
WHERE choice_id = %(choice_id)s AND edits = %(edits)s AND submitted_at IS NULL;

-- name: submit
-- A person wants a choice carried, as it was shown; the first to say so counts.
-- Parameters: choice_id, edits (of what was shown), submitted_by. Grain: one row, if it still is as
-- shown.
UPDATE ctct_choice
SET
    submitted_at = coalesce(submitted_at, clock_timestamp()),
    submitted_by = coalesce(submitted_by, %(submitted_by)s)
WHERE choice_id = %(choice_id)s AND edits = %(edits)s;

-- name: take
-- A choice that is about to be requested; it is ours to the transaction's end.
-- Parameters: choice_id. Grain: one row, or none.
SELECT
    list_id,
    action,
    unknown,
    submitted_at,
    report
FROM ctct_choice
WHERE choice_id = %(choice_id)s
FOR UPDATE;

-- name: end
-- A choice was requested. Parameters: choice_id, report (JSON). Grain: one row.
UPDATE ctct_choice
SET requested_at = clock_timestamp(), report = %(report)s::jsonb
WHERE choice_id = %(choice_id)s;

-- name: contacts
-- The contacts of a choice, without those left out. Parameters: choice_id.
-- Grain: one row a contact.
SELECT contact_id
FROM ctct_choice_contact
WHERE choice_id = %(choice_id)s AND NOT is_left_out
ORDER BY contact_id;

-- name: forget
-- Forget choices, with the contacts and what was looked for; those that came to nothing after a
-- day. Parameters: days. Grain: one row a choice.
WITH old AS (
    SELECT choice_id FROM ctct_choice
    WHERE
        made_at < now() - make_interval(days => %(days)s)
        OR (submitted_at IS NULL AND made_at < now() - interval '1 day')
),

contacts AS (
    DELETE FROM ctct_choice_contact
    WHERE choice_id IN (SELECT choice_id FROM old)
)

DELETE FROM ctct_choice
WHERE choice_id IN (SELECT choice_id FROM old);

-- name: chosen_contacts
-- A page of the contacts of a choice, by id. Parameters: choice_id, after (a contact id; '': from
-- the first), most. Grain: one row a contact.
SELECT
    chosen.contact_id,
    chosen.is_left_out,
    crm.email_address AS preferred_email,
    mirrored.permission_to_send,
    concat_ws(' ', crm.first_name, crm.last_name) AS name,
    coalesce(crm.do_not_email, FALSE) AS do_not_email
FROM ctct_choice_contact AS chosen
LEFT JOIN ctct_link AS crm ON chosen.contact_id = crm.contact_id
LEFT JOIN ctct_contact AS mirrored ON crm.constant_contact_id = mirrored.contact_id
WHERE chosen.choice_id = %(choice_id)s AND chosen.contact_id > %(after)s
ORDER BY chosen.contact_id
LIMIT %(most)s;

-- name: choice_progress
-- What became of the requests of a choice so far. Parameters: choice_id.
-- Grain: one row a status and its answer, the most frequent first; `status` is null where there is
-- no request (any more), or one for the opposite.
SELECT
    membership.status,
    membership.detail,
    count(*) AS contacts
FROM ctct_choice AS choice
INNER JOIN ctct_choice_contact AS chosen ON choice.choice_id = chosen.choice_id
LEFT JOIN crm_list_membership AS membership
    ON
        chosen.contact_id = membership.contact_id
        AND choice.list_id = membership.list_id
        AND choice.action = membership.action
WHERE choice.choice_id = %(choice_id)s AND NOT chosen.is_left_out
GROUP BY membership.status, membership.detail
ORDER BY count(*) DESC, membership.status ASC, membership.detail ASC
LIMIT 100;
