-- Whether the vendor has said before, an hour ago or more, that it has no such contact; and when
-- that counts from: now.
-- Parameters: constant_contact_id. Grain: one row if it did, else none.
SELECT clock_timestamp() AS now
WHERE
    EXISTS (
        SELECT FROM ctct_consent AS told
        WHERE
            told.constant_contact_id = %(constant_contact_id)s
            AND told.call_status = 404
            AND told.decided_at < clock_timestamp() - INTERVAL '1 hour'
    );
