-- Whether a call that carries an erased person was sent and is not decided.
-- Parameters: constant_contact_ids, contact_ids. Grain: one row.
SELECT
    exists(
        SELECT FROM ctct_bulk_activity AS activity
        INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
        WHERE
            activity.state IN ('sending', 'queued', 'ended')
            AND (
                carried.contact_id = any(%(contact_ids)s::text[])
                OR carried.target = any(%(constant_contact_ids)s::text[])
            )
    ) AS is_on_the_way;
