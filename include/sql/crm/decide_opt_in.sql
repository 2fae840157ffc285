-- A person decided about a held opt-in.
-- Parameters: change_id, status, detail, decision, decided_by. Grain: one row.
WITH decided AS (
    UPDATE crm_opt_out_change
    SET status = %(status)s, detail = %(detail)s, processed_at = clock_timestamp()
    WHERE change_id = %(change_id)s
    RETURNING change_id, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, decided_by, constant_contact_id)
SELECT
    change_id,
    %(decision)s,
    %(detail)s,
    %(decided_by)s,
    constant_contact_id
FROM decided;
