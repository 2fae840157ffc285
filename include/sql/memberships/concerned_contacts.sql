-- Whose Do Not Email counts for a call: the contacts it is about, and others with the same link or
-- address. Parameters: bulk_id. Grain: one row a CRM contact.
SELECT contact_id FROM ctct_bulk_activity_row
WHERE bulk_id = %(bulk_id)s
UNION
SELECT link.contact_id
FROM ctct_bulk_activity_row AS carried
INNER JOIN ctct_link AS link ON carried.target = link.constant_contact_id
WHERE carried.bulk_id = %(bulk_id)s
UNION
SELECT link.contact_id
FROM ctct_bulk_activity_row AS carried
LEFT JOIN ctct_contact AS mirrored ON carried.target = mirrored.contact_id
INNER JOIN ctct_link AS link ON coalesce(mirrored.email_key, carried.target) = link.email_key
WHERE carried.bulk_id = %(bulk_id)s;
