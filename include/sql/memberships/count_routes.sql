-- How many requests go which way. Grain: one row a route and its answer.
SELECT
    route,
    detail,
    count(*) AS requests,
    count(DISTINCT contact_id) AS contacts
FROM routed_membership
GROUP BY route, detail
ORDER BY requests DESC, route ASC, detail ASC;
