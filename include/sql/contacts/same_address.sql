-- Which of some addresses have a key. Parameters: addresses (array, nulls among them), email_key.
-- Grain: one row an address that has it: its position in the array, from 0.
SELECT (told.nth - 1)::integer AS position
FROM unnest(%(addresses)s::text[]) WITH ORDINALITY AS told (address, nth)
WHERE ctct_email_key(told.address) = %(email_key)s
ORDER BY told.nth;
