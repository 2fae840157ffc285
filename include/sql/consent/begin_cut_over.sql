-- Whether this is the first comparison after an upgrade. Grain: one row if it is, else none.
SELECT is_the_only_one FROM ctct_cut_over
WHERE hold_id IS NULL AND ended_at IS NULL
FOR UPDATE;
