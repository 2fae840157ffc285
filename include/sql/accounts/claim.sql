-- Make the tables an account's, unless they are one's already. Parameters: conn_id (of its API).
-- Grain: one row.
INSERT INTO ctct_account (constant_contact_conn_id) VALUES (%(conn_id)s) ON CONFLICT DO NOTHING;
