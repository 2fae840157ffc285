-- Whether an activity of the vendor's is ours already. Parameters: activity_id.
-- Grain: one row or none.
SELECT bulk_id FROM ctct_bulk_activity
WHERE activity_id = %(activity_id)s;
