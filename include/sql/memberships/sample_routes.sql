-- Some of those who go each way, to be looked up. No parameters: of what was just routed.
-- Grain: one row a route and its answer, with five of the contacts.
SELECT
    route,
    detail,
    (array_agg(coalesce(nullif(name, '') || ' (' || contact_id || ')', contact_id)))[:5] AS sample
FROM (
    SELECT
        routed.route,
        routed.detail,
        routed.contact_id,
        concat_ws(' ', crm.first_name, crm.last_name) AS name,
        row_number() OVER (
            PARTITION BY routed.route, routed.detail ORDER BY routed.contact_id
        ) AS nth
    FROM routed_membership AS routed
    INNER JOIN ctct_link AS crm ON routed.contact_id = crm.contact_id
) AS numbered
WHERE nth <= 5
GROUP BY route, detail;
