-- A CRM and a mirror of %(size)s contacts each, as in life: nine of ten CRM contacts are known to
-- the vendor, one in fifty shares a household's address, one in twenty has none; capitals and
-- spaces differ; one in a hundred of the vendor's is deleted.
INSERT INTO ctct_contact (
    contact_id, email_address, permission_to_send, updated_at, deleted_at, mirrored_at
)
SELECT
    md5(number::text)::uuid::text,
    'person.' || number || '@example.com',
    'implicit',
    now() - make_interval(mins => number),
    CASE WHEN number %% 100 = 3 THEN now() END,
    now()
FROM generate_series(1, %(size)s) AS number;

INSERT INTO crm_contact (contact_id, first_name, last_name, preferred_email)
SELECT
    'C' || number,
    'First' || number %% 1000,
    'Last' || number %% 5000,
    CASE
        WHEN number %% 20 = 7 THEN NULL
        WHEN number %% 10 = 9 THEN 'stranger.' || number || '@example.org'
        WHEN number %% 50 = 4 THEN ' Person.' || number - 1 || '@Example.com'
        ELSE 'Person.' || number || '@Example.com '
    END
FROM generate_series(1, %(size)s) AS number;

INSERT INTO ctct_sync_state (noun, full_pass_at) VALUES ('contacts', now());
