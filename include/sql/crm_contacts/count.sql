-- How many contacts the CRM has, as seen. Grain: one row.
SELECT count(*) AS contacts FROM ctct_link;
