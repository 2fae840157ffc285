-- Whether changes of the flag wait, and which came last: how far a run has to carry.
-- Grain: one row; `change_id` is null where nothing waits.
SELECT max(change_id) AS change_id
FROM crm_opt_out_change
WHERE status = 'pending';
