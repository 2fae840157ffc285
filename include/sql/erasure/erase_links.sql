-- Clear the links to an erased person, and what was seen of the person in the CRM: the mirror has
-- no address to make them anew. Parameters: constant_contact_ids, contact_ids.
-- Grain: one row a CRM contact.
UPDATE ctct_link
SET
    constant_contact_id = NULL,
    email_address = NULL,
    first_name = NULL,
    last_name = NULL,
    opt_out_reason = NULL,
    erased_digest = ctct_email_digest(email_key)
WHERE
    constant_contact_id = any(%(constant_contact_ids)s::text[])
    OR contact_id = any(%(contact_ids)s::text[]);
