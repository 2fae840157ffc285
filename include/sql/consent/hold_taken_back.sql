-- Hold what the first such comparison after an upgrade found, for one person to answer.
-- Parameters: detail, change_ids. Grain: one row a change.
WITH hold AS (
    INSERT INTO ctct_hold (noun, detail)
    VALUES ('opt_outs', %(detail)s)
    RETURNING hold_id
)

UPDATE crm_opt_out_change AS change
SET
    status = 'held',
    processed_at = clock_timestamp(),
    hold_id = hold.hold_id,
    detail = %(detail)s
FROM hold
WHERE change.change_id = any(%(change_ids)s);
