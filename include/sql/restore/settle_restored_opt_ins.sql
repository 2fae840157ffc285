-- An opt-in that waits in a restored CRM may have been carried before, and taken back since: none
-- is carried unless somebody asks anew. Parameters: by. Grain: one row a change.
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
