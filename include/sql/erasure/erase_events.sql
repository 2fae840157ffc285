-- Make an erased person's events nobody's: the counts of the reports stay right.
-- Parameters: constant_contact_id, nobody (an id that was never used). Grain: one row an event.
UPDATE ctct_engagement
SET contact_id = %(nobody)s, link_url = NULL, opt_out_reason = NULL
WHERE contact_id = %(constant_contact_id)s;
