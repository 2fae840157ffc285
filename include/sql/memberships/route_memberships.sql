-- Say what becomes of each wanted request, by the CRM and the mirror as they are: which call it
-- needs, or the answer that needs none, in words that a CRM user understands.
-- Parameters: most_lists (a contact may be on), email_chars (of any contact), import_email_chars,
-- name_chars, most_tries. Grain: one row a request.
INSERT INTO routed_membership (
    contact_id, list_id, action, requested_at, target, first_name, last_name, route, detail
)
-- Who may be mailed again in a moment.
WITH waiting AS MATERIALIZED (
    SELECT
        contact_id,
        constant_contact_id
    FROM crm_opt_out_change
    WHERE status = 'pending' AND NOT do_not_email
),

-- What calls have made of the same request before.
tried AS (
    SELECT
        wanted.contact_id,
        wanted.list_id,
        count(*) AS times,
        -- One by one the vendor says what is wrong with whom; a large call costs too many.
        bool_or(
            activity.kind = 'import'
            AND (
                activity.vendor_state = 'completed'
                OR activity.contacts = 1
                OR (activity.vendor_state IS NULL AND activity.contacts <= 1000)
            )
        ) AS was_left_over,
        (array_agg(activity.error ORDER BY activity.bulk_id DESC))[1] AS error
    FROM wanted_membership AS wanted
    INNER JOIN ctct_bulk_activity_row AS carried
        ON
            wanted.contact_id = carried.contact_id
            AND wanted.list_id = carried.list_id
            AND wanted.action = carried.action
            AND wanted.requested_at = carried.requested_at
    INNER JOIN ctct_bulk_activity AS activity ON carried.bulk_id = activity.bulk_id
    WHERE activity.state = 'done'
    GROUP BY wanted.contact_id, wanted.list_id
),

-- What is on its way for the same contact or address, be it for another CRM contact.
in_flight AS MATERIALIZED (
    SELECT DISTINCT
        carried.target,
        CASE WHEN activity.kind IN ('add', 'remove') THEN carried.list_id END AS list_id
    FROM ctct_bulk_activity AS activity
    INNER JOIN ctct_bulk_activity_row AS carried ON activity.bulk_id = carried.bulk_id
    WHERE activity.state <> 'done'
),

request AS (
    SELECT
        wanted.contact_id,
        wanted.list_id,
        wanted.action,
        wanted.requested_at,
        list.list_id IS NOT NULL AS list_is_known,
        list.deleted_at IS NOT NULL AS list_is_deleted,
        crm.contact_id IS NOT NULL AS is_in_crm,
        left(btrim(crm.first_name), %(name_chars)s) AS first_name,
        left(btrim(crm.last_name), %(name_chars)s) AS last_name,
        crm.email_key AS address,
        crm.constant_contact_id AS linked_id,
        linked.contact_id IS NOT NULL AS is_mirrored,
        linked.email_key AS linked_address,
        linked.deleted_at IS NOT NULL AS is_deleted,
        coalesce(linked.permission_to_send = 'unsubscribed', FALSE) AS is_unsubscribed,
        linked.list_ids,
        coalesce(tried.times, 0) AS times,
        coalesce(tried.was_left_over, FALSE) AS was_left_over,
        tried.error,
        coalesce(crm.constant_contact_id, crm.email_key) AS target
    FROM wanted_membership AS wanted
    LEFT JOIN ctct_list AS list ON wanted.list_id = list.list_id
    LEFT JOIN ctct_link AS crm ON wanted.contact_id = crm.contact_id
    LEFT JOIN ctct_contact AS linked ON crm.constant_contact_id = linked.contact_id
    LEFT JOIN tried ON wanted.contact_id = tried.contact_id AND wanted.list_id = tried.list_id
),

known AS (
    SELECT
        request.*,
        gate.answer AS gate,
        gate.source AS gate_source,
        request.contact_id IN (SELECT waiting.contact_id FROM waiting)
        OR coalesce(
            request.linked_id IN (
                SELECT waiting.constant_contact_id FROM waiting
                WHERE waiting.constant_contact_id IS NOT NULL
            ),
            FALSE
        ) AS is_heard_next,
        gone.email_key IS NOT NULL AS address_is_deleted,
        request.linked_id IS NULL
        AND EXISTS (
            SELECT FROM ctct_contact AS living
            WHERE living.email_key = request.address AND living.deleted_at IS NULL
        ) AS is_to_be_linked,
        first_value(request.action) OVER (
            PARTITION BY coalesce(request.target, request.contact_id), request.list_id
            ORDER BY request.requested_at DESC, request.action DESC
        ) AS newest_action,
        bool_or(request.action = 'remove') OVER (
            PARTITION BY coalesce(request.target, request.contact_id)
        ) AS makes_room,
        same_change.target IS NOT NULL OR same_address.target IS NOT NULL AS is_in_flight
    FROM request
    CROSS JOIN
        LATERAL ctct_gate(
            CASE WHEN request.action = 'add' THEN request.contact_id END,
            CASE WHEN request.action = 'add' THEN request.linked_id END,
            CASE WHEN request.action = 'add' THEN request.address END
        ) AS gate
    LEFT JOIN (
        SELECT DISTINCT email_key
        FROM ctct_contact
        WHERE deleted_at IS NOT NULL AND email_key IS NOT NULL
    ) AS gone ON request.address = gone.email_key
    LEFT JOIN (
        SELECT
            target,
            list_id
        FROM in_flight
        WHERE list_id IS NOT NULL
    ) AS same_change
        ON request.target = same_change.target AND request.list_id = same_change.list_id
    LEFT JOIN (
        SELECT target
        FROM in_flight
        WHERE list_id IS NULL
    ) AS same_address ON coalesce(request.linked_address, request.address) = same_address.target
),

judged AS (
    SELECT
        known.*,
        CASE
            WHEN known.is_in_flight THEN 'wait'
            WHEN known.times >= %(most_tries)s THEN 'gave up'
            WHEN NOT known.list_is_known THEN 'list unknown'
            WHEN known.list_is_deleted THEN 'list deleted'
            WHEN NOT known.is_in_crm THEN 'not in crm'
            WHEN known.newest_action <> known.action THEN 'overruled'
            WHEN known.linked_id IS NOT NULL AND NOT known.is_mirrored THEN 'wait'
            WHEN known.action = 'remove' AND known.linked_id IS NULL THEN 'not there'
            WHEN known.action = 'remove' AND known.is_deleted THEN 'not there'
            WHEN known.action = 'remove' THEN 'remove'
            WHEN known.gate = 'must not exist' THEN 'erased'
            WHEN known.linked_id IS NULL AND known.address IS NULL THEN 'no email'
            -- It has appeared since the last linking.
            WHEN known.is_to_be_linked THEN 'wait'
            WHEN known.linked_id IS NULL AND known.address !~ '^[^@\s]+@[^@\s]+$' THEN 'malformed'
            WHEN
                known.linked_id IS NULL AND known.gate_source IN ('vendor_contact', 'click')
                THEN 'had unsubscribed'
            WHEN
                known.is_deleted OR (known.linked_id IS NULL AND known.address_is_deleted)
                THEN 'deleted'
            WHEN known.is_unsubscribed THEN 'unsubscribed'
            WHEN known.linked_id IS NOT NULL AND known.is_heard_next THEN 'wait'
            WHEN known.linked_id IS NOT NULL AND known.gate_source = 'flag' THEN 'says no'
            WHEN known.linked_id IS NOT NULL AND known.gate <> 'may' THEN 'objects'
            WHEN known.list_id = any(known.list_ids) THEN 'on it'
            WHEN known.linked_id IS NOT NULL THEN 'add'
            WHEN char_length(known.address) > %(email_chars)s THEN 'too long'
            WHEN known.gate <> 'may' OR known.was_left_over THEN 'create'
            WHEN char_length(known.address) > %(import_email_chars)s THEN 'create'
            ELSE 'import'
        END AS verdict
    FROM known
),

-- Lists that this contact is on, those on their way to it, and the how-many-eth this would be.
counted AS (
    SELECT
        judged.*,
        coalesce(cardinality(judged.list_ids), 0) AS lists,
        coalesce(on_their_way.lists, 0) AS coming,
        dense_rank() OVER (
            PARTITION BY judged.target, judged.verdict IN ('add', 'import', 'create')
            ORDER BY judged.list_id
        ) AS nth
    FROM judged
    LEFT JOIN (
        SELECT
            target,
            count(*) AS lists
        FROM in_flight
        WHERE list_id IS NOT NULL
        GROUP BY target
    ) AS on_their_way ON judged.target = on_their_way.target
),

fitting AS (
    SELECT
        counted.*,
        CASE
            WHEN
                counted.verdict NOT IN ('add', 'import', 'create')
                OR counted.lists + counted.coming + counted.nth <= %(most_lists)s
                THEN counted.verdict
            -- Lists that were deleted meanwhile do not count.
            WHEN
                counted.coming + counted.nth
                + (
                    SELECT count(*) FROM ctct_list AS list
                    WHERE list.deleted_at IS NULL AND list.list_id = any(counted.list_ids)
                ) <= %(most_lists)s
                THEN counted.verdict
            WHEN counted.makes_room OR counted.coming > 0 THEN 'wait'
            ELSE 'full'
        END AS settled
    FROM counted
)

SELECT
    fitting.contact_id,
    fitting.list_id,
    fitting.action,
    fitting.requested_at,
    fitting.target,
    fitting.first_name,
    fitting.last_name,
    coalesce(answer.route, fitting.settled),
    concat(answer.detail, CASE WHEN fitting.settled = 'gave up' THEN fitting.error END)
FROM fitting
LEFT JOIN (
    VALUES
    ('gave up', 'failed', 'Tried several times without success. '),
    ('list unknown', 'rejected', 'Constant Contact has no such list.'),
    ('list deleted', 'rejected', 'The list was deleted at Constant Contact.'),
    ('not in crm', 'rejected', 'The contact is no longer in the CRM.'),
    (
        'overruled', 'rejected',
        'Another CRM contact with the same address asked for the opposite later.'
    ),
    ('not there', 'done', 'Was not on the list: Constant Contact does not have this contact.'),
    (
        'erased', 'rejected',
        'This person asked to be forgotten; nothing is sent to Constant Contact about them.'
    ),
    ('no email', 'rejected', 'Has no email address.'),
    ('malformed', 'rejected', 'The email address is malformed.'),
    (
        'deleted', 'rejected',
        'This contact was deleted at Constant Contact; it can be brought back there.'
    ),
    (
        'had unsubscribed', 'rejected',
        'Had unsubscribed before the contact was deleted at Constant Contact; only the person can '
        'sign up again.'
    ),
    (
        'unsubscribed', 'rejected',
        'Has unsubscribed; Constant Contact does not put unsubscribed contacts on lists.'
    ),
    ('says no', 'rejected', 'Do Not Email is set in the CRM for this address.'),
    (
        'objects', 'rejected',
        'Asked not to be emailed, or unsubscribed; only the person can take that back, at Constant '
        'Contact.'
    ),
    ('on it', 'done', 'Was on the list already.'),
    (
        'full', 'rejected',
        'Would be on more lists than the 50 that Constant Contact allows for a contact.'
    ),
    (
        'too long', 'rejected',
        'The email address is longer than the 80 characters that Constant Contact allows.'
    )
) AS answer (settled, route, detail) ON fitting.settled = answer.settled;
