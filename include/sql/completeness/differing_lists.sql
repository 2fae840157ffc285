-- Which lists have another number of members in the mirror than the vendor counts, by more than
-- changed in the last hours. Joining a list need not count as a change of the contact: so a list
-- is compared after a full pass over the contacts, or until a finding agrees. Whether the vendor
-- counts members that are unsubscribed or deleted is not said: any number between is right.
-- Parameters: in_flight (interval), recent (contacts that changed in it, and erased ones),
-- full_pass_at (of the contacts). Grain: one row a list that is compared; `is_found` if it differs.
WITH member AS (
    SELECT
        on_list.list_id,
        count(*) FILTER (
            WHERE contact.deleted_at IS NULL AND contact.permission_to_send <> 'unsubscribed'
        ) AS fewest,
        count(*) AS most
    FROM ctct_contact AS contact
    CROSS JOIN LATERAL unnest(contact.list_ids) AS on_list (list_id)
    GROUP BY on_list.list_id
),

compared AS (
    SELECT
        list.list_id,
        list.membership_count AS vendor_count,
        coalesce(member.fewest, 0) AS fewest,
        coalesce(member.most, 0) AS most
    FROM ctct_list AS list
    LEFT JOIN member ON list.list_id = member.list_id
    LEFT JOIN ctct_finding AS found ON found.noun = 'list' AND list.list_id = found.subject_id
    WHERE
        list.deleted_at IS NULL
        AND list.membership_count IS NOT NULL
        AND (
            found.subject_id IS NOT NULL
            OR (
                %(full_pass_at)s::timestamptz >= clock_timestamp() - interval '20 hours'
                AND list.mirrored_at >= %(full_pass_at)s::timestamptz - %(in_flight)s
            )
        )
)

SELECT
    list_id AS subject_id,
    '' AS kind,
    vendor_count,
    NULL AS reason,
    NULL AS detail,
    CASE WHEN vendor_count > most THEN most ELSE fewest END AS our_count,
    vendor_count > most + %(recent)s OR vendor_count < fewest - %(recent)s AS is_found
FROM compared
ORDER BY list_id;
