-- A flag that was set when it was last seen and is cleared now becomes a change that waits, unless
-- the CRM told of it. Grain: one row a CRM contact.
INSERT INTO crm_opt_out_change (
    contact_id, constant_contact_id, do_not_email, requested_by_contact, changed_by, email_digest
)
SELECT
    link.contact_id,
    link.constant_contact_id,
    FALSE,
    FALSE,
    'constant_contact',
    ctct_email_digest(link.email_key)
FROM read_contact AS read
INNER JOIN ctct_link AS link ON read.contact_id = link.contact_id
WHERE
    link.do_not_email
    AND NOT read.do_not_email
    -- Else it was absent in between.
    AND link.absence_hold_id IS NULL
    AND NOT EXISTS (
        SELECT FROM crm_opt_out_change AS told
        WHERE
            told.contact_id = link.contact_id
            AND NOT told.do_not_email
            AND NOT told.is_found
            AND told.status IN ('pending', 'held')
    );
