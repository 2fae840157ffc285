-- What the circuit breaker weighs. Parameters: since (when the run began).
-- Grain: one row: contacts that pending removals, and those done by this run, take off a list (what
-- a person released is not weighed again), how many of them wait, and contacts that are linked.
SELECT
    (
        SELECT count(DISTINCT contact_id)
        FROM crm_list_membership
        WHERE
            action = 'remove'
            AND released_at IS NULL
            AND (status = 'pending' OR (status = 'done' AND processed_at >= %(since)s))
    ) AS weighed,
    (
        SELECT count(DISTINCT contact_id)
        FROM crm_list_membership
        WHERE action = 'remove' AND released_at IS NULL AND status = 'pending'
    ) AS waiting,
    (
        SELECT count(DISTINCT constant_contact_id)
        FROM crm_contact
    ) AS linked;
