-- The erased whose ids the log of calls may have: a task that did not come to its end is repeated
-- without knowing them. Grain: one row a contact.
SELECT constant_contact_id FROM ctct_erased
WHERE is_in_log
ORDER BY constant_contact_id;
