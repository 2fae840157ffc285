-- Give the session our own settings, whatever the role, the database or the connection gave it; one
-- that this server does not know is passed over. Parameters: settings, as JSON.
-- Grain: one row for each setting that was otherwise, or is told with a unit.
SELECT pg_catalog.set_config(wanted.name, wanted.setting, FALSE)
FROM pg_catalog.jsonb_each_text(%(settings)s::jsonb) AS wanted (name, setting)
WHERE
    -- not pg_settings, which makes a row of every setting that there is first
    pg_catalog.current_setting(wanted.name, TRUE) <> wanted.setting
    -- What waits for more than our own server's disk is the firm's wish.
    AND (
        wanted.name <> 'synchronous_commit'
        OR pg_catalog.current_setting(wanted.name, TRUE) IN ('off', 'local')
    );
