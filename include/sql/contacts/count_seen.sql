-- How many of the vendor's contacts were seen since a time. Parameters: since. Grain: one row.
SELECT count(*) AS seen FROM ctct_contact
WHERE mirrored_at >= %(since)s;
