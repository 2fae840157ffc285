-- What the circuit breaker weighs. Parameters: since (when the run began).
-- Grain: one row: contacts that pending removals, and those done by this run, take off a list (what
-- a person released is not weighed again), and how many of them wait.
WITH waiting AS (
    SELECT DISTINCT contact_id
    FROM crm_list_membership
    WHERE status = 'pending' AND action = 'remove' AND released_at IS NULL
),

-- Two parts, for each has its partial index: of removals, too, most were done long ago.
weighed AS (
    SELECT contact_id FROM waiting
    UNION
    SELECT contact_id
    FROM crm_list_membership
    WHERE
        status = 'done'
        AND action = 'remove'
        AND released_at IS NULL
        AND processed_at >= %(since)s
)

SELECT
    (SELECT count(*) FROM weighed) AS weighed,
    (SELECT count(*) FROM waiting) AS waiting;
