-- Forget choices that an erased person is in, or was looked for by address; whoever is still at one
-- chooses again. Parameters: contact_ids, email_digests. Grain: one row a choice.
WITH erased AS (
    SELECT choice.choice_id FROM ctct_choice AS choice
    WHERE
        choice.criteria -> 'contact_ids' ?| %(contact_ids)s::text[]
        OR ctct_email_digest(ctct_email_key(choice.criteria ->> 'search'))
        = any(%(email_digests)s::text[])
        OR EXISTS (
            SELECT FROM ctct_choice_contact AS chosen
            WHERE
                chosen.choice_id = choice.choice_id
                AND chosen.contact_id = any(%(contact_ids)s::text[])
        )
),

contacts AS (
    DELETE FROM ctct_choice_contact
    WHERE choice_id IN (SELECT choice_id FROM erased)
)

DELETE FROM ctct_choice
WHERE choice_id IN (SELECT choice_id FROM erased);
