-- How the outboxes stand: what waits, for how long in seconds, what waits for a person; and how
-- long the opt-outs of the last hour took from the CRM's commit to the vendor's answer.
-- Grain: one row; a column is a noun and a measure.
SELECT
    opt_outs.*,
    memberships.*
FROM (
    SELECT
        count(*) FILTER (WHERE status = 'pending') AS opt_outs__pending,
        count(*) FILTER (WHERE status = 'held') AS opt_outs__held,
        count(*) FILTER (WHERE status = 'failed') AS opt_outs__failed,
        coalesce(
            extract(
                EPOCH FROM clock_timestamp()
                - min(changed_at) FILTER (WHERE status = 'pending' AND do_not_email)
            ),
            0
        ) AS opt_outs__oldest_pending_s,
        coalesce(
            extract(
                EPOCH FROM max(processed_at - changed_at) FILTER (
                    WHERE
                    status = 'done'
                    AND do_not_email
                    AND processed_at > clock_timestamp() - interval '1 hour'
                )
            ),
            0
        ) AS opt_outs__slowest_of_last_hour_s
    FROM crm_opt_out_change
) AS opt_outs
CROSS JOIN (
    SELECT
        count(*) FILTER (WHERE status = 'pending') AS memberships__pending,
        count(*) FILTER (WHERE status = 'held') AS memberships__held,
        count(*) FILTER (WHERE status = 'failed') AS memberships__failed,
        coalesce(
            extract(
                EPOCH FROM clock_timestamp() - min(requested_at) FILTER (WHERE status = 'pending')
            ),
            0
        ) AS memberships__oldest_pending_s
    FROM crm_list_membership
) AS memberships;
