-- Forget decided calls that changed memberships, with the addresses they carried: what became of
-- each request is in its own row. Parameters: days. Grain: one row a call.
DELETE FROM ctct_bulk_activity
WHERE state = 'done' AND planned_at < now() - make_interval(days => %(days)s);
