-- Of an erased person's objections stay the digest and the vendor's id; what was written about the
-- person goes. Parameters: contact_ids, constant_contact_ids. Grain: one row an objection.
UPDATE ctct_objection
SET contact_id = NULL, reason = NULL, told_by = NULL, evidence = NULL
WHERE
    contact_id = any(%(contact_ids)s::text[])
    OR constant_contact_id = any(%(constant_contact_ids)s::text[]);
