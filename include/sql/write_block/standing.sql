-- Whether a run has found that every opt-out is refused on the way, and none has passed since.
-- Grain: one row.
SELECT EXISTS(SELECT FROM ctct_write_block) AS is_standing;
