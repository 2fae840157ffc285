-- One run at a time plans and sends. Grain: one row; holds to the transaction's end.
SELECT pg_try_advisory_xact_lock(hashtextextended('constant_contact memberships', 0)) AS is_ours;
