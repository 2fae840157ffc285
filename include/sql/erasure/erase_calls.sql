-- Take an erased person's id from the log of API calls, and from what was said of bulk calls.
-- Parameters: constant_contact_id. Grain: one row a call.
WITH forgotten AS (
    UPDATE ctct_erased
    SET is_in_log = FALSE
    WHERE constant_contact_id = %(constant_contact_id)s
),

bulk_calls AS (
    UPDATE ctct_bulk_activity
    SET error = replace(error, %(constant_contact_id)s, 'erased')
    WHERE position(%(constant_contact_id)s IN error) > 0
)

UPDATE ctct_api_call
SET
    path = replace(path, %(constant_contact_id)s, 'erased'),
    error_message = replace(error_message, %(constant_contact_id)s, 'erased'),
    reply_body = replace(reply_body, %(constant_contact_id)s, 'erased')
WHERE
    position(%(constant_contact_id)s IN path) > 0
    OR position(%(constant_contact_id)s IN error_message) > 0
    OR position(%(constant_contact_id)s IN reply_body) > 0;
