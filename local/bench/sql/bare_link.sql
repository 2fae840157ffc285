-- A copy of ctct_link with what linking finds there: the rows and keys of all contacts, no links.
CREATE TABLE bare_link (LIKE ctct_link INCLUDING ALL) WITH (fillfactor = 80);

INSERT INTO bare_link (contact_id, email_address, first_name, last_name, do_not_email)
SELECT
    contact_id,
    preferred_email,
    first_name,
    last_name,
    do_not_email
FROM crm_contact;
