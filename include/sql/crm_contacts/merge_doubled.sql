-- Make one row of each id that was read twice: a no if either says no. Grain: one row an id.
WITH doubled AS (
    SELECT contact_id FROM read_contact
    GROUP BY contact_id
    HAVING count(*) > 1
),

taken AS (
    DELETE FROM read_contact
    USING doubled
    WHERE read_contact.contact_id = doubled.contact_id
    RETURNING read_contact.*
)

INSERT INTO read_contact (
    contact_id, email_address, do_not_email, first_name, last_name, requested_by_contact,
    opt_out_reason, merged_into, constant_contact_id
)
SELECT
    contact_id,
    min(email_address),
    bool_or(do_not_email),
    min(first_name),
    min(last_name),
    bool_or(requested_by_contact),
    min(opt_out_reason),
    min(merged_into),
    min(constant_contact_id)
FROM taken
GROUP BY contact_id;
