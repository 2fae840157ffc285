-- Whom the mirror does not learn again. Parameters: constant_contact_id, erased_by. Grain: one row.
INSERT INTO ctct_erased (constant_contact_id, erased_by)
VALUES (%(constant_contact_id)s, %(erased_by)s)
ON CONFLICT (constant_contact_id) DO NOTHING;
