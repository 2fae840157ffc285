-- Keep that a call is about to be sent. Parameters: bulk_id. Grain: one row: how many contacts it
-- has by now; a call that has none is done.
UPDATE ctct_bulk_activity AS activity
SET
    state = CASE WHEN carried.contacts = 0 THEN 'done' ELSE 'sending' END,
    contacts = carried.contacts,
    sent_at = clock_timestamp()
FROM (
    SELECT count(DISTINCT target) AS contacts
    FROM ctct_bulk_activity_row
    WHERE bulk_id = %(bulk_id)s
) AS carried
WHERE activity.bulk_id = %(bulk_id)s
RETURNING activity.bulk_id, activity.kind, activity.list_ids, activity.contacts, activity.sent_at;
