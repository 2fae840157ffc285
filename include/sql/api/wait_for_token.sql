-- Wait for a token's row, and then hold it, longer than the session's limits let others of its
-- transactions. Parameters: wait, such as 20s. Grain: one row.
SELECT
    set_config('lock_timeout', %(wait)s, true),
    set_config('statement_timeout', %(wait)s, true),
    -- A person's grant is redeemed, tried and stored meanwhile.
    set_config('idle_in_transaction_session_timeout', '2min', true);
