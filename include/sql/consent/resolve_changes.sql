-- Find out which Constant Contact contact a waiting change is about that names none: the one that
-- its contact is linked to, or that has the address. Rows that another worker is at are left to it.
-- Grain: one row a change.
UPDATE crm_opt_out_change AS change
SET constant_contact_id = found.constant_contact_id
FROM (
    SELECT
        waiting.change_id,
        coalesce(
            link.constant_contact_id,
            gone.constant_contact_id,
            (
                SELECT mirrored.contact_id FROM ctct_contact AS mirrored
                WHERE
                    ctct_email_digest(mirrored.email_key)
                    = coalesce(waiting.email_digest, ctct_email_digest(link.email_key))
                    AND mirrored.deleted_at IS NULL
                ORDER BY mirrored.contact_id
                LIMIT 1
            )
        ) AS constant_contact_id
    FROM crm_opt_out_change AS waiting
    LEFT JOIN ctct_link AS link ON waiting.contact_id = link.contact_id
    LEFT JOIN ctct_left_contact AS gone ON waiting.contact_id = gone.contact_id
    WHERE waiting.status = 'pending' AND waiting.constant_contact_id IS NULL
    FOR UPDATE OF waiting SKIP LOCKED
) AS found
WHERE change.change_id = found.change_id AND found.constant_contact_id IS NOT NULL;
