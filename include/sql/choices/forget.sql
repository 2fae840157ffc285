-- Forget choices, with the contacts and what was looked for; those that came to nothing after a
-- day. Parameters: days. Grain: one row a choice.
WITH old AS (
    SELECT choice_id FROM ctct_choice
    WHERE
        made_at < now() - make_interval(days => %(days)s)
        OR (submitted_at IS NULL AND made_at < now() - interval '1 day')
),

contacts AS (
    DELETE FROM ctct_choice_contact
    WHERE choice_id IN (SELECT choice_id FROM old)
)

DELETE FROM ctct_choice
WHERE choice_id IN (SELECT choice_id FROM old);
