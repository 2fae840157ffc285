-- Right before a call is sent: take out whoever it is no longer right for. A request that was
-- withdrawn or made anew, an address or link that changed, a Do Not Email that was set. The whole
-- contact goes, since all lists of a call are meant for each. Parameters: bulk_id.
-- Grain: one row a request.
DELETE FROM ctct_bulk_activity_row
WHERE
    bulk_id = %(bulk_id)s
    AND target IN (
        SELECT carried.target
        FROM ctct_bulk_activity_row AS carried
        INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
        LEFT JOIN crm_list_membership AS membership
            ON
                carried.contact_id = membership.contact_id
                AND carried.list_id = membership.list_id
                AND carried.action = membership.action
                AND carried.requested_at = membership.requested_at
                AND membership.status = 'pending'
        LEFT JOIN crm_contact AS crm ON carried.contact_id = crm.contact_id
        WHERE
            carried.bulk_id = %(bulk_id)s
            AND (
                membership.contact_id IS NULL
                OR (
                    activity.kind IN ('add', 'remove')
                    AND coalesce(crm.constant_contact_id, '') <> carried.target
                )
                OR (
                    activity.kind IN ('import', 'create')
                    AND coalesce(ctct_email_key(crm.preferred_email), '') <> carried.target
                )
                OR (
                    activity.kind = 'add'
                    AND carried.target IN (
                        SELECT constant_contact_id
                        FROM crm_contact
                        WHERE do_not_email AND constant_contact_id IS NOT NULL
                    )
                )
                OR (
                    activity.kind = 'import'
                    AND carried.target IN (
                        SELECT ctct_email_key(preferred_email)
                        FROM crm_contact
                        WHERE do_not_email AND ctct_email_key(preferred_email) IS NOT NULL
                    )
                )
            )
    );
