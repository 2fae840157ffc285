-- Forget what differed before and agrees now. Parameters: noun; checked_at (of this comparison).
-- Grain: one row a finding.
DELETE FROM ctct_finding
WHERE noun = %(noun)s AND checked_at < %(checked_at)s
RETURNING
    subject_id,
    kind;
