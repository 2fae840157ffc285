-- The newest call to a token endpoint. Parameters: token_url.
-- Grain: one row; none if the call log has none.
SELECT
    called_at,
    status,
    error_key
FROM ctct_api_call
WHERE
    path LIKE 'http%%'
    AND path = %(token_url)s
ORDER BY called_at DESC
LIMIT 1;
