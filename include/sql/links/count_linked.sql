-- How many of the vendor's contacts the CRM is linked to: the circuit breaker allows a share of
-- them. Reads every contact of the CRM, and is asked when the share matters. Grain: one row.
SELECT count(DISTINCT constant_contact_id) AS linked
FROM ctct_link;
