-- Wait for our turn to refresh a connection's tokens. Parameters: conn_id. Grain: one row.
SELECT conn_id FROM ctct_token
WHERE conn_id = %(conn_id)s FOR UPDATE;
