-- Of contacts whose address is an erased person's nothing is kept but a digest, though the CRM
-- still has them. Grain: one row a contact.
UPDATE read_contact AS read
SET
    email_address = NULL,
    first_name = NULL,
    last_name = NULL,
    opt_out_reason = NULL,
    erased_digest = erased.email_digest
FROM (
    SELECT
        new.contact_id,
        objection.email_digest
    FROM read_contact AS new
    LEFT JOIN ctct_link AS known ON new.contact_id = known.contact_id
    CROSS JOIN LATERAL unnest(ctct_email_digests(new.email_address)) AS address (email_digest)
    INNER JOIN ctct_objection AS objection ON address.email_digest = objection.email_digest
    WHERE
        objection.source = 'erasure'
        AND objection.lifted_at IS NULL
        AND known.email_address IS DISTINCT FROM new.email_address
) AS erased
WHERE read.contact_id = erased.contact_id;
