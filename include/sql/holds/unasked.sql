-- Holds that no person was asked about yet. Parameters: nouns. Grain: one row a hold.
SELECT hold_id
FROM ctct_hold
WHERE noun = any(%(nouns)s) AND asked_at IS NULL AND answer IS NULL
ORDER BY hold_id;
