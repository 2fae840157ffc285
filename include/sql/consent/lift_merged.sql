-- Lift for a contact what another objected to that was merged into it and whose flag was cleared
-- since. Grain: one row an objection.
UPDATE ctct_objection AS objection
SET lifted_at = clock_timestamp(), evidence = merged.evidence
FROM (
    SELECT
        link.merged_into,
        lifted.objected_at,
        min(lifted.evidence) AS evidence
    FROM ctct_link AS link
    INNER JOIN ctct_objection AS lifted ON link.contact_id = lifted.contact_id
    INNER JOIN ctct_link AS kept ON link.merged_into = kept.contact_id
    WHERE
        link.merged_into IS NOT NULL
        AND lifted.source = 'flag'
        AND lifted.lifted_at IS NOT NULL
        -- Else it is its own, too.
        AND NOT kept.do_not_email
    GROUP BY link.merged_into, lifted.objected_at
) AS merged
WHERE
    objection.contact_id = merged.merged_into
    AND objection.objected_at = merged.objected_at
    AND objection.source = 'flag'
    AND objection.change_id IS NULL
    AND objection.lifted_at IS NULL;
