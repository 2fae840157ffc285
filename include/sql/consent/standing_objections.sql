-- Which objections stand against emailing a contact. Parameters: contact_id, constant_contact_id,
-- address (each may be null). Grain: one row: whether the contact itself asked, told by the CRM;
-- whether it is the contact's own word at all, told there or at Constant Contact; whether the CRM's
-- flag is set, of any contact that it concerns; whether it was erased.
SELECT
    coalesce(bool_or(source = 'asked'), FALSE) AS is_asked,
    coalesce(bool_or(source IN ('asked', 'vendor_contact', 'click')), FALSE) AS is_own,
    coalesce(bool_or(source = 'flag'), FALSE) AS is_flagged,
    coalesce(bool_or(source = 'erasure'), FALSE) AS is_erased
FROM ctct_standing_objections(
    %(contact_id)s::text, %(constant_contact_id)s::text, %(address)s::text
);
