-- What consent is compared of: one contact in twenty is unsubscribed at the vendor, and who is
-- flagged in the CRM, one in fifty, is so too. Ten people were erased.
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

INSERT INTO ctct_objection (source, email_digest, objected_at)
SELECT
    'erasure',
    ctct_email_digest('erased.' || number || '@example.com'),
    now()
FROM generate_series(1, 10) AS number;
