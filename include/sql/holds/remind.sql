-- Holds of what contacts asked for themselves that wait for more than a day since they were last
-- told of; told of again now. Parameters: nouns. Grain: one row a hold.
UPDATE ctct_hold AS hold
SET reminded_at = clock_timestamp()
WHERE
    hold.noun = any(%(nouns)s)
    AND hold.answer IS NULL
    AND coalesce(hold.reminded_at, hold.held_at) < clock_timestamp() - INTERVAL '1 day'
    AND EXISTS (
        SELECT FROM crm_opt_out_change AS change
        WHERE
            change.hold_id = hold.hold_id
            AND change.status = 'held'
            AND change.do_not_email
            AND change.requested_by_contact
    )
RETURNING hold.hold_id;
