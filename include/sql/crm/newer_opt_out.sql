-- Whether a change of the same contact came after this one. Parameters: contact_id, change_id.
-- Grain: one row.
SELECT EXISTS(
    SELECT FROM crm_opt_out_change
    WHERE contact_id = %(contact_id)s AND change_id > %(change_id)s
) AS is_there;
