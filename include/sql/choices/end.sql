-- A choice was requested. Parameters: choice_id, report (JSON). Grain: one row.
UPDATE ctct_choice
SET requested_at = clock_timestamp(), report = %(report)s::jsonb
WHERE choice_id = %(choice_id)s;
