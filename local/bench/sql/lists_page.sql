-- %(lists)s lists; each contact of the mirror is on three of them, and was asked for one: nine of ten
-- requests are met, one in fifty is refused.
INSERT INTO ctct_list (list_id, name, membership_count, created_at, updated_at, mirrored_at)
SELECT
    'list-' || number,
    'List ' || number,
    3 * %(contacts)s / %(lists)s,
    now() - INTERVAL '300 days',
    now(),
    now()
FROM generate_series(1, %(lists)s) AS number;

UPDATE ctct_contact AS mirrored
SET list_ids = ARRAY[
    'list-' || 1 + numbered.number %% %(lists)s,
    'list-' || 1 + (numbered.number + 7) %% %(lists)s,
    'list-' || 1 + (numbered.number + 61) %% %(lists)s
]
FROM (
    SELECT
        contact_id,
        row_number() OVER (ORDER BY contact_id) AS number
    FROM ctct_contact
) AS numbered
WHERE mirrored.contact_id = numbered.contact_id;

INSERT INTO crm_list_membership (
    contact_id, list_id, action, requested_at, status, processed_at, detail
)
SELECT
    crm.contact_id,
    'list-' || 1 + crm.number %% %(lists)s,
    CASE WHEN crm.number %% 10 = 3 THEN 'remove' ELSE 'add' END,
    now() - make_interval(secs => crm.number * 25),
    outcome.status,
    CASE WHEN outcome.status <> 'pending' THEN now() - make_interval(secs => crm.number * 25) END,
    CASE outcome.status
        WHEN 'done' THEN 'Put on the list.'
        WHEN 'pending' THEN NULL
        ELSE 'It cannot be met for the reason ' || crm.number / 50 %% 9 || '.'
    END
FROM (
    SELECT
        contact_id,
        row_number() OVER (ORDER BY contact_id) AS number
    FROM ctct_link
) AS crm
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN crm.number %% 50 = 1 THEN 'rejected'
        WHEN crm.number %% 500 = 2 THEN 'failed'
        WHEN crm.number %% 1000 = 4 THEN 'pending'
        ELSE 'done'
    END AS status
) AS outcome;
