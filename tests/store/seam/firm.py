"""A firm's own table, and the files that fit it."""

from collections.abc import Callable

from constant_contact.store.seam_check import Findings

CONTACTS = """
SELECT id AS contact_id, mail AS preferred_email, no_mail AS do_not_email,
    first AS first_name, last AS last_name, cc_id AS constant_contact_id
FROM firm.person;
"""
BARE = CONTACTS.strip().rstrip(";")
WRITE_BACK = """
UPDATE firm.person SET cc_id = changed.constant_contact_id
FROM changed_link AS changed WHERE person.id = changed.contact_id;
"""
DOORBELL = """
CREATE OR REPLACE TRIGGER no_mail AFTER UPDATE ON firm.person
FOR EACH ROW WHEN (new.no_mail AND NOT old.no_mail)
EXECUTE FUNCTION ctct_ring('id', 'mail', 'true');
ALTER TABLE firm.person ENABLE ALWAYS TRIGGER no_mail;
"""
TABLE = """
CREATE SCHEMA firm;
CREATE TABLE firm.person (
    id text PRIMARY KEY, mail text, first text, last text, no_mail boolean, cc_id text
);
INSERT INTO firm.person (id, mail) VALUES ('a', 'ann@example.com'), ('b', NULL);
"""

Check = Callable[..., Findings]
