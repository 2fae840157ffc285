-- A person wants a change that Constant Contact refused to be tried again; only the newest of its
-- contact, so that an old yes never overrules a newer no (nor an old no a newer yes).
-- Parameters: change_id, decided_by. Grain: one row, if the change failed and is the newest.
WITH retried AS (
    UPDATE crm_opt_out_change AS change
    SET
        status = 'pending',
        processed_at = NULL,
        detail = 'Tried again by a person''s wish.'
    WHERE
        change.change_id = %(change_id)s
        AND change.status = 'failed'
        AND NOT EXISTS (
            SELECT FROM crm_opt_out_change AS newer
            WHERE newer.contact_id = change.contact_id AND newer.change_id > change.change_id
        )
    RETURNING change.change_id, change.constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, decided_by, constant_contact_id)
SELECT
    change_id,
    'retried',
    %(decided_by)s,
    constant_contact_id
FROM retried;
