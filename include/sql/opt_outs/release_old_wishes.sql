-- What contacts asked for themselves goes out after three days unless a person rejected it: the law
-- gives ten. Grain: one row a change.
WITH released AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'pending',
        released_at = clock_timestamp(),
        processed_at = NULL,
        detail = 'Held for three days, and asked for by the contact.'
    WHERE
        change.status = 'held'
        AND change.do_not_email
        AND change.requested_by_contact
        AND change.processed_at < clock_timestamp() - INTERVAL '72 hours'
        AND NOT EXISTS (
            SELECT FROM ctct_hold AS hold
            WHERE hold.hold_id = change.hold_id AND hold.answer = 'rejected'
        )
    RETURNING change.change_id, change.detail, change.constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'released',
    detail,
    constant_contact_id
FROM released;
