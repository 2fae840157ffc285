-- Whom the mirror does not learn again, and whose ids are taken from the log of calls next.
-- Parameters: constant_contact_ids, erased_by. Grain: one row a contact.
INSERT INTO ctct_erased (constant_contact_id, erased_by)
SELECT
    unnest(%(constant_contact_ids)s::text[]),
    %(erased_by)s
ON CONFLICT (constant_contact_id) DO UPDATE SET is_in_log = TRUE;
