-- Which campaigns exist that the API reports nothing of: A/B tests, and those that are done by
-- their status but that the summary report does not have (automated ones).
-- Parameters: ab_test_type_code. Grain: one row.
SELECT
    count(*) FILTER (WHERE type_code = %(ab_test_type_code)s) AS ab_tests,
    count(*) FILTER (
        WHERE
        type_code IS DISTINCT FROM %(ab_test_type_code)s
        AND moved_at IS NULL
        AND current_status IN ('Done', 'Executing')
    ) AS automated
FROM ctct_campaign;
