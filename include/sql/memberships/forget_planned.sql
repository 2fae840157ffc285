-- What was planned and not sent is planned anew, by the mirror as it is then.
-- Grain: one row a call.
DELETE FROM ctct_bulk_activity
WHERE state = 'planned';
