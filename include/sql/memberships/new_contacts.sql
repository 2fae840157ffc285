-- What is told to the vendor of new contacts: address and names, nothing else; of CRM contacts that
-- share an address the first has the names. Parameters: bulk_id, name_chars.
-- Grain: one row an address, and what the gate answers.
SELECT DISTINCT ON (carried.target)
    carried.target AS email,
    gate.answer AS gate,
    left(btrim(crm.first_name), %(name_chars)s) AS first_name,
    left(btrim(crm.last_name), %(name_chars)s) AS last_name
FROM ctct_bulk_activity_row AS carried
INNER JOIN ctct_link AS crm ON carried.contact_id = crm.contact_id
CROSS JOIN LATERAL ctct_gate(carried.contact_id, NULL, carried.target) AS gate
WHERE carried.bulk_id = %(bulk_id)s
ORDER BY carried.target ASC, carried.contact_id ASC;
