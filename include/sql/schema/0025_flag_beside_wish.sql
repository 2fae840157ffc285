-- A change tells of two objections where the contact asked for it: its wish, and the CRM's flag.
-- The one is lifted by the contact, the other by the CRM.

DROP INDEX ctct_objection_change;
CREATE UNIQUE INDEX ctct_objection_change ON ctct_objection (change_id, source)
WHERE change_id IS NOT NULL;

-- Contacts that we opted in again: what they said meanwhile is looked for among these.
CREATE INDEX ctct_consent_opt_in ON ctct_consent (constant_contact_id, decided_at)
WHERE decision IN ('resubscribed', 'resubscribing');
