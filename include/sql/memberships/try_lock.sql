-- One run at a time plans and sends. Grain: one row; holds to the session's end or `unlock`.
SELECT
    pg_try_advisory_lock(
        hashtextextended('constant_contact memberships', ctct_account_key())
    ) AS is_ours;
