-- Changes that the CRM has taken back: a flag that was cleared before its opt-out went out, and
-- one that is set again. The CRM's state counts, for the numbers of changes are not the order of
-- their commits. What a contact asked for is never taken back so. Rows that another worker is at
-- are left to it. Parameters: change_ids (those that waited when the CRM was looked at).
-- Grain: one row a change.
WITH superseded AS (
    UPDATE crm_opt_out_change
    SET
        status = 'superseded',
        processed_at = clock_timestamp(),
        detail = CASE
            WHEN do_not_email THEN 'A newer change of this contact counts.'
            ELSE 'Do Not Email is set in the CRM, or a newer change counts.'
        END
    WHERE
        change_id IN (
            SELECT change.change_id
            FROM crm_opt_out_change AS change
            INNER JOIN ctct_link AS link ON change.contact_id = link.contact_id
            WHERE
                change.change_id = any(%(change_ids)s)
                AND change.status IN ('pending', 'held')
                AND (
                    (
                        NOT change.do_not_email
                        AND (
                            link.do_not_email
                            OR (
                                NOT change.is_found
                                AND EXISTS (
                                    SELECT FROM crm_opt_out_change AS newer
                                    WHERE
                                        newer.contact_id = change.contact_id
                                        AND newer.change_id > change.change_id
                                        AND newer.status = 'pending'
                                        AND NOT newer.do_not_email
                                        AND NOT newer.is_found
                                )
                            )
                        )
                    )
                    OR (
                        change.do_not_email
                        -- What was found is found again, if it still counts.
                        AND (NOT change.is_found OR change.status = 'held')
                        AND change.requested_by_contact IS NOT TRUE
                        AND link.absence_hold_id IS NULL
                        AND (
                            NOT link.do_not_email
                            -- The same once more.
                            OR EXISTS (
                                SELECT FROM crm_opt_out_change AS newer
                                WHERE
                                    newer.contact_id = change.contact_id
                                    AND newer.change_id > change.change_id
                                    AND newer.status = 'pending'
                                    AND newer.do_not_email
                                    AND NOT newer.is_found
                            )
                        )
                    )
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
FROM superseded
RETURNING change_id;
