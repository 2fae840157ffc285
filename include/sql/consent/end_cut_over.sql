-- Whether this is the first comparison after an upgrade that looks for opt-outs that nothing holds
-- any more. Grain: one row if it is, else none.
UPDATE ctct_cut_over
SET opt_ins_ended_at = clock_timestamp()
WHERE opt_ins_ended_at IS NULL
RETURNING is_the_only_one;
