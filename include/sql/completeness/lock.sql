-- One comparison at a time, and no page of the summary report meanwhile.
-- Grain: one row; held to the transaction's end.
SELECT pg_advisory_xact_lock(7263512004 + ctct_account_key());
