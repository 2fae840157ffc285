-- Forget choices, with the contacts and what was looked for; those that came to nothing after a
-- day. Parameters: days. Grain: one row a choice.
DELETE FROM ctct_choice
WHERE
    made_at < now() - make_interval(days => %(days)s)
    OR (submitted_at IS NULL AND made_at < now() - interval '1 day');
