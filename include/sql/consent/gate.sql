-- Whether somebody may be emailed, and the objection that weighs most. Parameters: contact_id,
-- constant_contact_id, address (each may be null). Grain: one row.
SELECT
    gate.answer,
    gate.source,
    gate.objected_at,
    objection.contact_id
FROM
    ctct_gate(
        %(contact_id)s::text, %(constant_contact_id)s::text, %(address)s::text
    ) AS gate
LEFT JOIN ctct_objection AS objection ON gate.objection_id = objection.objection_id;
