-- Link the CRM contacts of a call to the contact that it created, whatever became of their
-- addresses.
-- Parameters: bulk_id, constant_contact_id. Grain: one row a CRM contact.
UPDATE ctct_link AS link
SET constant_contact_id = %(constant_contact_id)s, linked_at = clock_timestamp()
FROM ctct_bulk_activity_row AS carried
WHERE
    carried.bulk_id = %(bulk_id)s
    AND link.contact_id = carried.contact_id
    AND NOT EXISTS (
        SELECT FROM ctct_contact AS living
        WHERE living.contact_id = link.constant_contact_id AND living.deleted_at IS NULL
    );
