-- Keep what a person chose. Parameters: list_id, action, criteria (JSON), unknown, made_by.
-- Grain: one row.
INSERT INTO ctct_choice (list_id, action, criteria, unknown, made_by)
VALUES (%(list_id)s, %(action)s, %(criteria)s::jsonb, %(unknown)s, %(made_by)s)
RETURNING choice_id;
