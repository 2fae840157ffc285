-- A person wants a choice carried, as it was shown; the first to say so counts.
-- Parameters: choice_id, edits (of what was shown), submitted_by. Grain: one row, if it still is as
-- shown.
UPDATE ctct_choice
SET
    submitted_at = coalesce(submitted_at, clock_timestamp()),
    submitted_by = coalesce(submitted_by, %(submitted_by)s)
WHERE choice_id = %(choice_id)s AND edits = %(edits)s;
