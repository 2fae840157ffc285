-- Lift the CRM's own objections to contacts whose flag was cleared, as waiting changes tell and the
-- CRM shows; nothing else of theirs, nor what a contact that was merged into them since objects to
-- still. Parameters: contact_id (null: all).
-- Grain: one row an objection.
UPDATE ctct_objection AS objection
SET
    lifted_at = clock_timestamp(),
    evidence = concat('Do Not Email was cleared in the CRM by ', change.changed_by, '.')
FROM crm_opt_out_change AS change
INNER JOIN ctct_link AS link ON change.contact_id = link.contact_id
WHERE
    change.status = 'pending'
    AND NOT change.do_not_email
    -- That both sides were compared tells of no flag that was cleared.
    AND NOT change.is_found
    AND NOT link.do_not_email
    AND (%(contact_id)s::text IS NULL OR change.contact_id = %(contact_id)s::text)
    AND objection.contact_id = change.contact_id
    AND objection.source = 'flag'
    AND objection.lifted_at IS NULL
    AND NOT (
        objection.change_id IS NULL
        AND objection.heard_at > change.changed_at
        AND EXISTS (
            SELECT FROM ctct_link AS merged
            INNER JOIN ctct_objection AS standing ON merged.contact_id = standing.contact_id
            WHERE
                merged.merged_into = objection.contact_id
                AND standing.source = 'flag'
                AND standing.objected_at = objection.objected_at
                AND standing.lifted_at IS NULL
        )
    );
