-- What became of the requests of a choice so far. Parameters: choice_id.
-- Grain: one row a status and its answer, the most frequent first; `status` is null where there is
-- no request (any more), or one for the opposite.
SELECT
    membership.status,
    membership.detail,
    count(*) AS contacts
FROM ctct_choice AS choice
INNER JOIN ctct_choice_contact AS chosen ON choice.choice_id = chosen.choice_id
LEFT JOIN crm_list_membership AS membership
    ON
        chosen.contact_id = membership.contact_id
        AND choice.list_id = membership.list_id
        AND choice.action = membership.action
WHERE choice.choice_id = %(choice_id)s AND NOT chosen.is_left_out
GROUP BY membership.status, membership.detail
ORDER BY count(*) DESC, membership.status ASC, membership.detail ASC
LIMIT 100;
