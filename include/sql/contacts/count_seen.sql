-- How many of the vendor's contacts were seen since a time, and how many of those were created
-- since then by the vendor's clock. Parameters: since, created_since. Grain: one row.
SELECT
    count(*) AS seen,
    count(*) FILTER (WHERE created_at >= %(created_since)s) AS created
FROM ctct_contact
WHERE mirrored_at >= %(since)s;
