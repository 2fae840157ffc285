-- How many contacts the mirror has. Grain: one row.
SELECT
    count(*) FILTER (WHERE deleted_at IS NULL) AS living,
    count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted,
    count(*) FILTER (
        WHERE deleted_at IS NULL AND permission_to_send = 'unsubscribed'
    ) AS unsubscribed,
    count(*) FILTER (WHERE deleted_at IS NULL AND email_key IS NULL) AS without_email
FROM ctct_contact;
