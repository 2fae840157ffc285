-- Keep when a connection's tokens were refreshed. Parameters: conn_id. Grain: one row.
UPDATE ctct_token
SET refreshed_at = clock_timestamp(), refresh_count = refresh_count + 1
WHERE conn_id = %(conn_id)s;
