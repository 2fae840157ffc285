-- When a contact last unsubscribed by a link in a mail, as far as the ledger knows; the vendor may
-- go on calling the account's own an opt-out that was there before. Parameters:
-- constant_contact_id. Grain: one row; `clicked_at` is null for who never did.
SELECT max(event.occurred_at) AS clicked_at
FROM ctct_engagement AS event
INNER JOIN ctct_engagement_stream AS stream ON event.stream_id = stream.stream_id
WHERE
    event.contact_id = %(constant_contact_id)s
    AND stream.activity_type = 'opt_out';
