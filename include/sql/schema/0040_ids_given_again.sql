-- An id that comes back with another address may be another person's: the interactions of the one
-- who had it go. That is kept where the contact is seen, and done where interactions are made.
COMMENT ON COLUMN ctct_link.projected_id IS
'→ ctct_contact.contact_id. Whose events its interactions are; empty: those of a former contact.';
