-- The last event id in the ledger. Parameters: position (none before it is looked at).
-- Grain: one row.
SELECT coalesce(max(event_id), %(position)s) AS event_id
FROM ctct_engagement
WHERE event_id > %(position)s;
