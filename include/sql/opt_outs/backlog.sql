-- How the outboxes stand: what waits, for how long in seconds, what waits for a person; and how
-- long the opt-outs of the last hour took from the CRM's commit to the vendor's answer. Each part
-- has its partial index: what is done is all that ever was, and this is asked at every wake-up.
-- Grain: one row; a column is a noun and a measure.
SELECT
    waiting_opt_outs.*,
    failed_opt_outs.*,
    done_opt_outs.*,
    pending_memberships.*,
    unmet_memberships.*
FROM (
    SELECT
        count(*) FILTER (WHERE status = 'pending') AS opt_outs__pending,
        count(*) FILTER (WHERE status = 'held') AS opt_outs__held,
        coalesce(
            extract(
                EPOCH FROM clock_timestamp()
                - min(changed_at) FILTER (WHERE status = 'pending' AND do_not_email)
            ),
            0
        ) AS opt_outs__oldest_pending_s
    FROM crm_opt_out_change
    WHERE status IN ('pending', 'held')
) AS waiting_opt_outs
CROSS JOIN (
    SELECT count(*) AS opt_outs__failed
    FROM crm_opt_out_change
    WHERE status = 'failed'
) AS failed_opt_outs
CROSS JOIN (
    SELECT
        coalesce(
            extract(EPOCH FROM max(processed_at - changed_at) FILTER (WHERE do_not_email)), 0
        ) AS opt_outs__slowest_of_last_hour_s
    FROM crm_opt_out_change
    WHERE status = 'done' AND processed_at > now() - interval '1 hour'
) AS done_opt_outs
CROSS JOIN (
    SELECT
        count(*) AS memberships__pending,
        coalesce(
            extract(EPOCH FROM clock_timestamp() - min(requested_at)), 0
        ) AS memberships__oldest_pending_s
    FROM crm_list_membership
    WHERE status = 'pending'
) AS pending_memberships
CROSS JOIN (
    SELECT
        count(*) FILTER (WHERE status = 'held') AS memberships__held,
        count(*) FILTER (WHERE status = 'failed') AS memberships__failed
    FROM crm_list_membership
    WHERE status IN ('held', 'failed')
) AS unmet_memberships;
