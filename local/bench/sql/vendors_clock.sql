-- The vendor's clock was moved on by %(days)s days, this server's was not: what the night before
-- read, it read then.
UPDATE ctct_sync_state SET covered_to = covered_to + INTERVAL '1 day' * %(days)s;
