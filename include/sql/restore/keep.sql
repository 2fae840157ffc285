-- Remember that the CRM was restored. Parameters: by. Grain: one row.
INSERT INTO ctct_restore (settled_by) VALUES (%(by)s);
