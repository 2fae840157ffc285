-- name: hold_older
-- Ask a person once about the account's opt-outs at Constant Contact that no opt-out of ours made,
-- of contacts whose flag is set: was the flag why? Parameters: detail. Grain: one row an objection.
WITH older AS MATERIALIZED (
    SELECT objection.objection_id
    FROM ctct_objection AS objection
    WHERE
        objection.source = 'vendor_account'
        AND objection.lifted_at IS NULL
        AND EXISTS (
            SELECT FROM ctct_link AS link
            WHERE
                link.constant_contact_id = objection.constant_contact_id
                AND link.do_not_email
        )
),

hold AS (
    INSERT INTO ctct_hold (noun, detail)
    SELECT
        'objections',
        %(detail)s
    WHERE EXISTS (SELECT FROM older)
    RETURNING hold_id
)

UPDATE ctct_objection AS objection
SET hold_id = hold.hold_id
FROM hold, older
WHERE objection.objection_id = older.objection_id;

-- name: show_held
-- What a person sees before the answer. Parameters: hold_id. Grain: one row, with ten contacts.
SELECT
    'Constant Contact' AS changed_by,
    'unsubscribed by the account, without an opt-out of ours on record' AS reason,
    count(*) AS contacts,
    min(objection.objected_at) AS first_changed_at,
    max(objection.objected_at) AS last_changed_at,
    (
        array_agg(objection.constant_contact_id ORDER BY objection.constant_contact_id)
    )[:10] AS sample
FROM ctct_objection AS objection
WHERE
    objection.hold_id = %(hold_id)s
    AND objection.lifted_at IS NULL
    -- As the answer is carried: not those whose flag was cleared meanwhile.
    AND EXISTS (
        SELECT FROM ctct_link AS link
        WHERE
            link.constant_contact_id = objection.constant_contact_id
            AND link.do_not_email
    )
HAVING count(*) > 0;

-- name: release_held
-- A person says that the flag was why: from now on the flag alone decides. Where it was cleared
-- meanwhile a person decides about that contact. Parameters: hold_id, decided_by.
-- Grain: one row an objection.
UPDATE ctct_objection AS objection
SET
    lifted_at = clock_timestamp(),
    lifted_by = %(decided_by)s,
    evidence = 'Do Not Email in the CRM was why, as a person said after the upgrade.'
WHERE
    objection.hold_id = %(hold_id)s::bigint
    AND objection.lifted_at IS NULL
    AND EXISTS (
        SELECT FROM ctct_link AS link
        WHERE
            link.constant_contact_id = objection.constant_contact_id
            AND link.do_not_email
    );

-- name: reject_held
-- A person says that they stand for themselves. Parameters: hold_id. Grain: one row an objection.
SELECT objection_id FROM ctct_objection
WHERE hold_id = %(hold_id)s;
