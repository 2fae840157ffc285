-- Let the projection wait for us: event ids are drawn before they are committed.
-- Grain: one row; held to the transaction's end, shared among writers.
SELECT pg_advisory_xact_lock_shared(7263512002 + ctct_account_key());
