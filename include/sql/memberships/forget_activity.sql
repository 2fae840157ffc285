-- A call that never reached the vendor leaves nothing. Parameters: bulk_id. Grain: one row.
DELETE FROM ctct_bulk_activity
WHERE bulk_id = %(bulk_id)s;
