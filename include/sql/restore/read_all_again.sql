-- The next reading of contacts reads all of them, from the start. Grain: one row a reading.
UPDATE ctct_sync_state
SET full_pass_at = NULL, reading = NULL, cursor = NULL, rows_read = 0
WHERE noun = 'contacts';
