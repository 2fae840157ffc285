-- One projection at a time. Grain: one row; held to the transaction's end.
SELECT pg_advisory_xact_lock(7263512003 + ctct_account_key());
