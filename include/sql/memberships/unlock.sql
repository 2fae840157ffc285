-- Let the next run plan and send. Grain: one row.
SELECT
    pg_advisory_unlock(
        hashtextextended('constant_contact memberships', ctct_account_key())
    ) AS was_ours;
