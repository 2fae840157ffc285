-- The first comparison after an upgrade found nothing: there is nothing to approve.
-- Grain: one row, if there was an upgrade.
UPDATE ctct_cut_over
SET ended_at = clock_timestamp()
WHERE ended_at IS NULL;
