-- name: count_mass_opt_in
-- What the circuit breaker weighs over a rolling day. Grain: one row: contacts that waiting changes
-- would let be mailed again, and those that are so within the day (what a person released is not
-- weighed again); of the waiting ones those whose flag was found cleared and no change of the CRM's
-- tells of it; and how many have the flag.
WITH waiting AS (
    SELECT
        change.contact_id,
        bool_and(change.changed_by = 'constant_contact' AND NOT change.is_found) AS is_unrung,
        CASE WHEN change.is_found THEN change.constant_contact_id END AS constant_contact_id
    FROM crm_opt_out_change AS change
    WHERE
        change.status = 'pending'
        AND NOT change.do_not_email
        AND change.released_at IS NULL
    GROUP BY
        change.contact_id,
        CASE WHEN change.is_found THEN change.constant_contact_id END
),

carried AS (
    SELECT DISTINCT
        change.contact_id,
        CASE WHEN change.is_found THEN change.constant_contact_id END AS constant_contact_id
    FROM crm_opt_out_change AS change
    INNER JOIN ctct_consent AS consent ON change.change_id = consent.change_id
    WHERE
        change.status = 'done'
        AND change.processed_at > clock_timestamp() - interval '1 day'
        AND NOT change.do_not_email
        AND change.released_at IS NULL
        AND consent.decision = 'resubscribed'
)

SELECT
    (SELECT count(*) FROM waiting) AS waiting,
    (
        SELECT count(*) FROM waiting
        WHERE is_unrung
    ) AS unrung,
    (
        SELECT count(*) FROM ctct_link
        WHERE do_not_email
    ) AS flagged,
    (SELECT count(*) FROM carried) AS carried;

-- name: requeue_opt_ins
-- A held opt-in is looked at again when its contact may be mailed at the vendor again, which only
-- the contact itself can have brought about. Grain: one row a change.
WITH requeued AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'pending',
        processed_at = NULL,
        detail = 'May be mailed at Constant Contact again: looked at once more.'
    FROM ctct_link AS crm
    CROSS JOIN ctct_contact AS mirrored
    WHERE
        change.contact_id = crm.contact_id
        AND mirrored.contact_id = CASE
            WHEN change.is_found THEN change.constant_contact_id ELSE crm.constant_contact_id
        END
        AND change.status = 'held'
        AND NOT change.do_not_email
        AND (change.hold_id IS NULL OR change.released_at IS NOT NULL)
        AND mirrored.deleted_at IS NULL
        AND mirrored.permission_to_send NOT IN ('unsubscribed', 'pending_confirmation')
    RETURNING change.change_id, change.detail, change.constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'requeued',
    detail,
    constant_contact_id
FROM requeued;

-- name: begin_confirmation
-- The vendor's confirmation mail goes once ever to a contact: claimed before it is asked for.
-- Parameters: constant_contact_id, change_id, asked_by. Grain: one row, or none if it was claimed.
INSERT INTO ctct_confirmation (constant_contact_id, change_id, asked_by)
VALUES (%(constant_contact_id)s, %(change_id)s, %(asked_by)s)
ON CONFLICT (constant_contact_id) DO NOTHING
RETURNING constant_contact_id;

-- name: end_confirmation
-- What the vendor answered. Parameters: constant_contact_id, answer. Grain: one row.
UPDATE ctct_confirmation
SET answer = %(answer)s
WHERE constant_contact_id = %(constant_contact_id)s;

-- name: withdraw_confirmation
-- The vendor refused before it sent anything: another try is allowed.
-- Parameters: constant_contact_id. Grain: one row.
DELETE FROM ctct_confirmation
WHERE constant_contact_id = %(constant_contact_id)s AND answer IS NULL;

-- name: confirmation
-- When the confirmation mail was asked for. Parameters: constant_contact_id.
-- Grain: one row, or none.
SELECT asked_at
FROM ctct_confirmation
WHERE constant_contact_id = %(constant_contact_id)s;

-- name: held_opt_in
-- An opt-in that waits for the contact's own word; it is ours to the transaction's end.
-- Parameters: change_id. Grain: one row, or none if it does not wait (any more).
SELECT
    change.change_id,
    change.contact_id,
    CASE
        WHEN change.is_found THEN change.constant_contact_id ELSE crm.constant_contact_id
    END AS constant_contact_id,
    coalesce(crm.do_not_email, FALSE) AS do_not_email
FROM crm_opt_out_change AS change
INNER JOIN ctct_link AS crm ON change.contact_id = crm.contact_id
WHERE
    change.change_id = %(change_id)s
    AND change.status = 'held'
    AND NOT change.do_not_email
    AND NOT EXISTS (
        SELECT FROM crm_opt_out_change AS newer
        WHERE
            newer.contact_id = change.contact_id
            AND newer.change_id > change.change_id
            AND NOT newer.is_found
    )
FOR UPDATE OF change;

-- name: decide_opt_in
-- A person decided about a held opt-in. Parameters: change_id, status, detail, decision,
-- decided_by, and the call that was made, if one was: call_method, called_at, call_status,
-- request_id. Grain: one row, if the change is still held.
WITH decided AS (
    UPDATE crm_opt_out_change
    SET status = %(status)s, detail = %(detail)s, processed_at = clock_timestamp()
    WHERE change_id = %(change_id)s AND status = 'held'
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (
    change_id, decision, detail, decided_by, constant_contact_id,
    call_method, called_at, call_status, request_id
)
SELECT
    change_id,
    %(decision)s,
    %(detail)s,
    %(decided_by)s,
    constant_contact_id,
    %(call_method)s,
    %(called_at)s::timestamptz,
    %(call_status)s::integer,
    %(request_id)s
FROM decided;
