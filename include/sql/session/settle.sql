-- Give the session our own settings, whatever the role, the database or the connection gave it; one
-- that this server does not know is passed over. Parameters: settings, as JSON.
-- Grain: one row for each setting that was otherwise.
SELECT pg_catalog.set_config(known.name, wanted.setting, FALSE)
FROM pg_catalog.jsonb_each_text(%(settings)s::jsonb) AS wanted (name, setting)
INNER JOIN pg_catalog.pg_settings AS known ON wanted.name = known.name
WHERE
    known.setting <> wanted.setting
    -- What waits for more than our own server's disk is the firm's wish.
    AND (known.name <> 'synchronous_commit' OR known.setting IN ('off', 'local'));
