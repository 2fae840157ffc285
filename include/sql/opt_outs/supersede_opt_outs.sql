-- Only the newest change of a contact counts. Grain: one row a change that a newer one replaces.
-- Rows that another worker is at are left to it.
WITH superseded AS (
    UPDATE crm_opt_out_change
    SET
        status = 'superseded',
        processed_at = clock_timestamp(),
        detail = 'A newer change of this contact counts.'
    WHERE
        change_id IN (
            SELECT change.change_id
            FROM crm_opt_out_change AS change
            WHERE
                change.status IN ('pending', 'held')
                AND EXISTS (
                    SELECT FROM crm_opt_out_change AS newer
                    WHERE
                        newer.contact_id = change.contact_id AND newer.change_id > change.change_id
                )
            FOR UPDATE OF change SKIP LOCKED
        )
    RETURNING change_id, detail, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, constant_contact_id)
SELECT
    change_id,
    'superseded',
    detail,
    constant_contact_id
FROM superseded;
