-- The vendor's contacts that a call is about. Parameters: bulk_id. Grain: one row a contact.
SELECT DISTINCT target FROM ctct_bulk_activity_row
WHERE bulk_id = %(bulk_id)s
ORDER BY target;
