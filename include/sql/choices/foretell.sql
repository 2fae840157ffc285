-- Keep what was foretold of a choice, unless it changed meanwhile.
-- Parameters: choice_id, edits, foretold (JSON). Grain: one row.
UPDATE ctct_choice
SET foretold = %(foretold)s::jsonb, foretold_at = clock_timestamp()
WHERE choice_id = %(choice_id)s AND edits = %(edits)s AND submitted_at IS NULL;
