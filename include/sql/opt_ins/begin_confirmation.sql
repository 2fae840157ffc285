-- The vendor's confirmation mail goes once ever to a contact: claimed before it is asked for.
-- Parameters: constant_contact_id, change_id, asked_by. Grain: one row, or none if it was claimed.
INSERT INTO ctct_confirmation (constant_contact_id, change_id, asked_by)
VALUES (%(constant_contact_id)s, %(change_id)s, %(asked_by)s)
ON CONFLICT (constant_contact_id) DO NOTHING
RETURNING constant_contact_id;
