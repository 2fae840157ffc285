-- A choice is about to be changed, unless somebody wants it carried already; it is ours to the
-- transaction's end. Parameters: choice_id. Grain: one row, if it may be changed.
UPDATE ctct_choice
SET edits = edits + 1, foretold = NULL
WHERE choice_id = %(choice_id)s AND submitted_at IS NULL;
