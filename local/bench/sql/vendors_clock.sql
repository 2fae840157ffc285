-- The vendor's clock was moved on by a day before the last night, this server's was not: what that
-- night read, it read then.
UPDATE ctct_sync_state SET covered_to = covered_to + INTERVAL '1 day';
