-- Hear who unsubscribed by a link in an email, by the ledger: the vendor may go on calling the
-- account's own an opt-out that was there before. Parameters: position (event id: the newer ones),
-- constant_contact_id (null: all). Grain: one row a Constant Contact contact.
INSERT INTO ctct_objection (source, constant_contact_id, email_digest, objected_at)
SELECT
    'click',
    clicked.contact_id,
    ctct_email_digest(mirrored.email_key),
    clicked.clicked_at
FROM (
    SELECT
        event.contact_id,
        max(event.occurred_at) AS clicked_at
    FROM ctct_engagement AS event
    INNER JOIN ctct_engagement_stream AS stream ON event.stream_id = stream.stream_id
    WHERE
        stream.activity_type = 'opt_out'
        AND event.event_id > %(position)s
        AND (
            %(constant_contact_id)s::text IS NULL
            OR event.contact_id = %(constant_contact_id)s::text
        )
    GROUP BY event.contact_id
) AS clicked
LEFT JOIN ctct_contact AS mirrored ON clicked.contact_id = mirrored.contact_id
WHERE
    NOT EXISTS (
        SELECT FROM ctct_objection AS heard
        WHERE
            heard.constant_contact_id = clicked.contact_id
            AND heard.source = 'click'
            AND heard.objected_at >= clicked.clicked_at
    );
