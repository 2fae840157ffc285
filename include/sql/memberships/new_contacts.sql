-- What is told to the vendor of new contacts: address and names, nothing else; of CRM contacts that
-- share an address the first has the names. Parameters: bulk_id, name_chars.
-- Grain: one row an address, and whether anybody who has it says no, or once asked to be left.
SELECT DISTINCT ON (carried.target)
    carried.target AS email,
    left(btrim(crm.first_name), %(name_chars)s) AS first_name,
    left(btrim(crm.last_name), %(name_chars)s) AS last_name,
    exists(
        SELECT FROM ctct_link AS other
        WHERE
            other.email_key = carried.target
            AND (
                other.do_not_email
                OR EXISTS (
                    SELECT FROM crm_opt_out_change AS asked
                    WHERE
                        asked.contact_id = other.contact_id
                        AND asked.do_not_email
                        AND asked.requested_by_contact
                )
            )
    ) AS says_no
FROM ctct_bulk_activity_row AS carried
INNER JOIN ctct_link AS crm ON carried.contact_id = crm.contact_id
WHERE carried.bulk_id = %(bulk_id)s
ORDER BY carried.target ASC, carried.contact_id ASC;
