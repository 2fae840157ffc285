-- Make an erased person's events nobody's: the counts of the reports stay right. Each of the
-- vendor's contacts becomes a nobody of its own, as their events may be alike.
-- Parameters: constant_contact_ids. Grain: one row an event.
WITH erased AS MATERIALIZED (
    SELECT
        contact_id,
        gen_random_uuid()::text AS nobody
    FROM unnest(%(constant_contact_ids)s::text[]) AS contact (contact_id)
)

UPDATE ctct_engagement AS event
SET contact_id = erased.nobody, link_url = NULL, opt_out_reason = NULL
FROM erased
WHERE event.contact_id = erased.contact_id;
