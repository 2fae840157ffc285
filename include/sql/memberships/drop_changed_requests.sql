-- Right before a call is sent: take out whoever it is no longer right for. A request that was
-- withdrawn or made anew, an address or link that changed, an objection that the gate has, an
-- address that the vendor has by now. The whole contact goes, since all lists of a call are meant
-- for each. Parameters: bulk_id.
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
        LEFT JOIN ctct_link AS crm ON carried.contact_id = crm.contact_id
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
                    AND coalesce(crm.email_key, '') <> carried.target
                )
                OR (
                    activity.kind = 'add'
                    AND (
                        SELECT gate.answer <> 'may'
                        FROM ctct_gate(carried.contact_id, carried.target, NULL) AS gate
                    )
                )
                OR (
                    activity.kind = 'create'
                    AND (
                        SELECT gate.answer = 'must not exist'
                        FROM ctct_gate(carried.contact_id, NULL, carried.target) AS gate
                    )
                )
                OR (
                    activity.kind = 'import'
                    AND (
                        crm.constant_contact_id IS NOT NULL
                        OR (
                            SELECT gate.answer <> 'may'
                            FROM ctct_gate(carried.contact_id, NULL, carried.target) AS gate
                        )
                        -- An import would rename the living and bring back the deleted.
                        OR EXISTS (
                            SELECT FROM ctct_contact AS living
                            WHERE living.email_key = carried.target AND living.deleted_at IS NULL
                        )
                        OR EXISTS (
                            SELECT FROM ctct_contact AS gone
                            WHERE gone.email_key = carried.target AND gone.deleted_at IS NOT NULL
                        )
                    )
                )
            )
    );
