-- Forget the choices that are not requested in a restored CRM, with the contacts: they may have
-- been requested before, and taken back since. Grain: one row, how many.
WITH forgotten AS (
    DELETE FROM ctct_choice
    WHERE requested_at IS NULL
    RETURNING choice_id
),

contacts AS (
    DELETE FROM ctct_choice_contact
    WHERE choice_id IN (SELECT choice_id FROM forgotten)
)

SELECT count(*) AS choices FROM forgotten;
