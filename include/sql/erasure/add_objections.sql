-- What is never created or mailed again: the addresses, as digests, and the vendor's contacts.
-- Parameters: email_digests, constant_contact_ids. Grain: one row an address or contact.
INSERT INTO ctct_objection (source, constant_contact_id, email_digest, objected_at)
SELECT
    'erasure',
    erased.constant_contact_id,
    erased.email_digest,
    clock_timestamp()
FROM (
    SELECT
        NULL AS constant_contact_id,
        unnest(%(email_digests)s::text[]) AS email_digest
    UNION ALL
    SELECT
        unnest(%(constant_contact_ids)s::text[]),
        NULL
) AS erased
WHERE
    NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.source = 'erasure'
            AND (
                heard.email_digest = erased.email_digest
                OR heard.constant_contact_id = erased.constant_contact_id
            )
    );
