-- Of an erased person's changes of Do Not Email stays that they were made, which proves that nobody
-- was mailed against their will; what was written about the person goes, and no opt-in that waits
-- is carried any more. Parameters: contact_ids, constant_contact_ids, erased_by.
-- Grain: one row an opt-in that waited.
WITH change AS (
    SELECT
        change_id,
        NOT do_not_email AND status IN ('pending', 'held') AS is_waiting_opt_in
    FROM crm_opt_out_change
    WHERE
        contact_id = any(%(contact_ids)s::text[])
        OR constant_contact_id = any(%(constant_contact_ids)s::text[])
    FOR UPDATE
),

erased AS (
    UPDATE crm_opt_out_change AS erased
    SET
        reason = NULL,
        status = CASE WHEN change.is_waiting_opt_in THEN 'superseded' ELSE erased.status END
    FROM change
    WHERE erased.change_id = change.change_id
    RETURNING erased.change_id, erased.constant_contact_id, change.is_waiting_opt_in
)

INSERT INTO ctct_consent (change_id, decision, detail, decided_by, constant_contact_id)
SELECT
    change_id,
    'superseded',
    'The person was erased.',
    %(erased_by)s,
    constant_contact_id
FROM erased
WHERE is_waiting_opt_in;
