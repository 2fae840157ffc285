-- Of an erased person's changes of Do Not Email stays that they were made, which proves that nobody
-- was mailed against their will; what was written about the person goes, and no opt-in that waits
-- is carried any more. Parameters: contact_ids, constant_contact_ids, erased_by.
-- Grain: one row an opt-in that waited.
WITH erased AS (
    UPDATE crm_opt_out_change
    SET
        reason = NULL,
        status = CASE
            WHEN NOT do_not_email AND status IN ('pending', 'held') THEN 'superseded'
            ELSE status
        END
    WHERE
        contact_id = any(%(contact_ids)s::text[])
        OR constant_contact_id = any(%(constant_contact_ids)s::text[])
    RETURNING change_id, do_not_email, status, constant_contact_id
)

INSERT INTO ctct_consent (change_id, decision, detail, decided_by, constant_contact_id)
SELECT
    change_id,
    'superseded',
    'The person was erased.',
    %(erased_by)s,
    constant_contact_id
FROM erased
WHERE NOT do_not_email AND status = 'superseded';
