-- The next reading of contacts reads all of them, from the start; the next look at the CRM takes no
-- flag for one that was cleared. Grain: one row a reading.
UPDATE ctct_sync_state
SET full_pass_at = NULL, reading = NULL, cursor = NULL, rows_read = 0
WHERE noun IN ('contacts', 'crm_contacts');
