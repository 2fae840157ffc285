-- Contacts that should live and that a full pass did not see.
-- Parameters: since (when it began), most.
-- Grain: one row a contact.
SELECT contact_id
FROM ctct_contact
WHERE deleted_at IS NULL AND mirrored_at < %(since)s
ORDER BY contact_id
LIMIT %(most)s;
