-- Tells within seconds that Do Not Email was set or cleared, or that the contact asked; made by
-- `make migrate`. Without it a change is seen by the next look, every quarter of an hour. The
-- function's arguments: the columns of the id and the address, and whether the flag is set now.
-- Grain: none.
CREATE OR REPLACE TRIGGER constant_contact_no_from_start
AFTER INSERT ON crm_contact
FOR EACH ROW WHEN (new.do_not_email)
EXECUTE FUNCTION ctct_ring('contact_id', 'preferred_email', 'true');

CREATE OR REPLACE TRIGGER constant_contact_no
AFTER UPDATE ON crm_contact
FOR EACH ROW WHEN (
    new.do_not_email
    AND (
        old.do_not_email IS NOT TRUE
        OR current_setting('constant_contact.requested_by_contact', TRUE) IN ('on', 'true')
    )
)
EXECUTE FUNCTION ctct_ring('contact_id', 'preferred_email', 'true');

-- An unknown flag says nothing: only from set to cleared.
CREATE OR REPLACE TRIGGER constant_contact_yes
AFTER UPDATE ON crm_contact
FOR EACH ROW WHEN (old.do_not_email AND NOT new.do_not_email)
EXECUTE FUNCTION ctct_ring('contact_id', 'preferred_email', 'false');

-- Also where a replication or a load writes with triggers turned off.
ALTER TABLE crm_contact
ENABLE ALWAYS TRIGGER constant_contact_no_from_start,
ENABLE ALWAYS TRIGGER constant_contact_no,
ENABLE ALWAYS TRIGGER constant_contact_yes;
