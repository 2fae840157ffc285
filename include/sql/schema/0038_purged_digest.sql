-- An opt-out may be heard after its contact was purged: a click is read with the reports, an hour
-- after the contacts. Without the address it would not hold for a contact that is created again.
ALTER TABLE ctct_contact ADD COLUMN purged_digest text;

COMMENT ON COLUMN ctct_contact.purged_digest IS
'Digest of the address of a contact that Constant Contact no longer knows, when that was found.';
