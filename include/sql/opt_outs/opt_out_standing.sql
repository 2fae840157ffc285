-- How a change stands now that its contact is ours. Parameters: contact_id, change_id.
-- Grain: one row: whether a change of the same contact came after it, and whom it is about by now.
SELECT
    EXISTS(
        SELECT FROM crm_opt_out_change AS newer
        WHERE newer.contact_id = %(contact_id)s AND newer.change_id > %(change_id)s
    ) AS is_overtaken,
    COALESCE(
        (
            SELECT crm.constant_contact_id FROM ctct_link AS crm
            WHERE crm.contact_id = %(contact_id)s
        ),
        (
            SELECT change.constant_contact_id
            FROM crm_opt_out_change AS change
            WHERE change.change_id = %(change_id)s
        )
    ) AS constant_contact_id;
