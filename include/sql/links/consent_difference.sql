-- Whether the two sides disagree about mailing a contact. Parameters: contact_id.
-- Grain: one row where they do, none else.
SELECT
    do_not_email,
    permission_to_send,
    opt_out_source
FROM crm_consent_difference
WHERE contact_id = %(contact_id)s;
