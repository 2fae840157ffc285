-- Each row of the ended calls is decided, or free to be routed again. Grain: one row a call.
UPDATE ctct_bulk_activity
SET state = 'done'
WHERE state = 'ended';
