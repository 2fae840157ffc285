-- Wait until no page of events is being written. Grain: one row; held to the transaction's end.
SELECT pg_advisory_xact_lock(7263512002 + ctct_account_key());
