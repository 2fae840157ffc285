-- What of both outboxes needs a person. Parameters: since (rejections before it are old news).
-- Grain: one row. A failed change counts until the contact has a newer one.
SELECT
    (
        SELECT count(*) FROM crm_opt_out_change
        WHERE status = 'held' AND do_not_email
    ) AS held_opt_outs,
    (
        SELECT count(*) FROM crm_opt_out_change
        WHERE status = 'held' AND NOT do_not_email
    ) AS held_opt_ins,
    (
        SELECT count(*)
        FROM crm_opt_out_change AS failed
        WHERE
            failed.status = 'failed'
            AND NOT EXISTS (
                SELECT
                FROM crm_opt_out_change AS newer
                WHERE newer.contact_id = failed.contact_id AND newer.change_id > failed.change_id
            )
    ) AS failed_opt_outs,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'held'
    ) AS held_memberships,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'failed'
    ) AS failed_memberships,
    (
        SELECT count(*) FROM crm_list_membership
        WHERE status = 'rejected' AND processed_at >= %(since)s
    ) AS rejected_memberships;
