-- One choice as it stands. Parameters: choice_id. Grain: one row, or none.
SELECT
    choice.choice_id,
    choice.list_id,
    choice.action,
    choice.criteria,
    choice.unknown,
    choice.made_at,
    choice.made_by,
    choice.edits,
    choice.foretold,
    choice.foretold_at,
    choice.submitted_at,
    choice.submitted_by,
    choice.requested_at,
    choice.report,
    found.contacts,
    found.left_out,
    coalesce(list.name, choice.list_id) AS list_name
FROM ctct_choice AS choice
LEFT JOIN ctct_list AS list ON choice.list_id = list.list_id
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS contacts,
            count(*) FILTER (WHERE chosen.is_left_out) AS left_out
        FROM ctct_choice_contact AS chosen
        WHERE chosen.choice_id = choice.choice_id
    ) AS found
WHERE choice.choice_id = %(choice_id)s;
