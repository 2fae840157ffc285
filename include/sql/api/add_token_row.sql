-- Make the row that refreshes of a connection's tokens wait for. Parameters: conn_id.
-- Grain: one row.
INSERT INTO ctct_token (conn_id) VALUES (%(conn_id)s) ON CONFLICT DO NOTHING;
