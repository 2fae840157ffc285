-- How many of the vendor's counts of campaigns are compared. Grain: one row.
SELECT count(*) AS compared
FROM ctct_campaign_count
WHERE events IS NOT NULL;
