-- Hold what the first comparison after an upgrade found, for one person to answer.
-- Parameters: detail. Grain: one row.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('opt_outs', %(detail)s)
    RETURNING hold_id
),

held AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'held',
        processed_at = clock_timestamp(),
        hold_id = hold.hold_id,
        detail = %(detail)s
    FROM hold
    WHERE change.status = 'pending' AND change.is_found AND change.do_not_email
)

UPDATE ctct_cut_over
SET hold_id = hold.hold_id, ended_at = clock_timestamp()
FROM hold;
