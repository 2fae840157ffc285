-- name: settle_restored_opt_ins
-- An opt-in that waits in a restored CRM may have been carried before, and taken back since: none
-- is carried unless it is asked for again. Parameters: by. Grain: one row a change.
WITH settled AS (
    UPDATE crm_opt_out_change
    SET
        status = 'superseded',
        processed_at = clock_timestamp(),
        detail = 'The CRM was restored. Set Do Not Email and clear it again if it is meant.'
    WHERE NOT do_not_email AND status IN ('pending', 'held')
    RETURNING change_id, detail, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, decided_by, constant_contact_id)
SELECT
    change_id,
    'superseded',
    detail,
    %(by)s,
    constant_contact_id
FROM settled;

-- name: settle_restored_memberships
-- A wish to be put on a list that waits in a restored CRM may have been met before, and taken back
-- since: none is carried unless it is asked for again. Grain: one row a request.
UPDATE crm_list_membership
SET
    status = 'failed',
    processed_at = clock_timestamp(),
    detail = 'The CRM was restored. Set this to pending if it is still wanted.'
WHERE action = 'add' AND status IN ('pending', 'held');

-- name: forget_choices
-- Forget the choices that are not requested in a restored CRM, with the contacts: they may have
-- been requested before, and taken back since. Grain: one row, how many.
WITH forgotten AS (
    DELETE FROM ctct_choice
    WHERE requested_at IS NULL
    RETURNING choice_id
),

contacts AS (
    DELETE FROM ctct_choice_contact
    WHERE choice_id IN (SELECT choice_id FROM forgotten)
)

SELECT count(*) AS choices FROM forgotten;

-- name: keep
-- Remember that the CRM was restored. Parameters: by. Grain: one row.
INSERT INTO ctct_restore (settled_by) VALUES (%(by)s);

-- name: advance_numbers
-- Numbers that were given after the backup mean something elsewhere: a question that waits in
-- Airflow must not be answered for another stop of the breaker, nor a run of the past be taken for
-- that of a new choice. So they go on from the seconds
-- since 1970, which no number reached before. Grain: one row.
SELECT
    setval(
        pg_get_serial_sequence('ctct_hold', 'hold_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(hold_id) + 1 FROM ctct_hold)
        )
    ) AS hold_id,
    setval(
        pg_get_serial_sequence('crm_opt_out_change', 'change_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(change_id) + 1 FROM crm_opt_out_change)
        )
    ) AS change_id,
    setval(
        pg_get_serial_sequence('ctct_bulk_activity', 'bulk_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(bulk_id) + 1 FROM ctct_bulk_activity)
        )
    ) AS bulk_id,
    setval(
        pg_get_serial_sequence('ctct_choice', 'choice_id'),
        greatest(
            extract(EPOCH FROM clock_timestamp())::bigint,
            (SELECT max(choice_id) + 1 FROM ctct_choice)
        )
    ) AS choice_id;

-- name: read_all_again
-- The next reading of contacts reads all of them, from the start; the next look at the CRM takes no
-- flag for one that was cleared. Grain: one row a reading.
UPDATE ctct_sync_state
SET full_pass_at = NULL, reading = NULL, cursor = NULL, rows_read = 0
WHERE noun IN ('contacts', 'crm_contacts');

-- name: flag_lost_opt_outs
-- Whose Do Not Email was lost: linked contacts that Constant Contact may not mail since the moment
-- that the CRM was restored to. Where the vendor gives no date, it counts as since.
-- Parameters: restored_to. Grain: one row a CRM contact.
INSERT INTO changed_flag (contact_id)
SELECT link.contact_id
FROM ctct_link AS link
INNER JOIN ctct_contact AS mirrored ON link.constant_contact_id = mirrored.contact_id
WHERE
    link.do_not_email IS NOT TRUE
    AND mirrored.permission_to_send = 'unsubscribed'
    AND coalesce(mirrored.opt_out_date >= %(restored_to)s, TRUE);
