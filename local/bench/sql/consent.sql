-- What consent is compared of: one contact in twenty is unsubscribed at the vendor, and who is
-- flagged in the CRM, one in fifty, is so too, by an opt-out of ours; of one in a hundred we made
-- it, too, the flag was cleared, and the contact asks for it. Ten people were erased.
UPDATE ctct_contact AS mirrored
SET
    permission_to_send = 'unsubscribed',
    opt_out_source = 'Contact',
    opt_out_date = now() - INTERVAL '30 days'
FROM crm_contact AS crm
WHERE
    mirrored.email_key = ctct_email_key(crm.preferred_email)
    AND right(crm.contact_id, 2) IN ('13', '33', '53', '63', '93');

UPDATE crm_contact SET do_not_email = TRUE
WHERE right(contact_id, 2) IN ('13', '33');

-- What the night before carried.
UPDATE crm_opt_out_change SET status = 'done', processed_at = now() - INTERVAL '2 days';

INSERT INTO ctct_consent (
    decision, detail, constant_contact_id, permission_before, permission_after,
    opt_out_source_after, decided_at
)
SELECT
    made.decision,
    'Unsubscribed at Constant Contact.',
    mirrored.contact_id,
    'implicit',
    made.permission,
    'Contact',
    now() - INTERVAL '30 days'
FROM ctct_contact AS mirrored
INNER JOIN crm_contact AS crm ON mirrored.email_key = ctct_email_key(crm.preferred_email)
CROSS JOIN (VALUES ('unsubscribing', NULL), ('unsubscribed', 'unsubscribed'))
    AS made (decision, permission)
WHERE right(crm.contact_id, 2) IN ('13', '33', '53');

INSERT INTO ctct_objection (source, contact_id, email_digest, objected_at)
SELECT
    'asked',
    contact_id,
    ctct_email_digest(ctct_email_key(preferred_email)),
    now() - INTERVAL '30 days'
FROM crm_contact
WHERE right(contact_id, 2) = '53';

INSERT INTO ctct_objection (source, email_digest, objected_at)
SELECT
    'erasure',
    ctct_email_digest('erased.' || number || '@example.com'),
    now()
FROM generate_series(1, 10) AS number;
