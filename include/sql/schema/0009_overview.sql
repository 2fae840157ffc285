-- What the overview shows, so that it costs the same however much is stored.

-- How many events of a stream occurred on a day (UTC). Kept by triggers on the ledger, once a
-- statement, and with it: a count on each view of the page would read a month of events.
CREATE TABLE ctct_engagement_day (
    day_utc date NOT NULL,
    stream_id integer NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (day_utc, stream_id)
);

CREATE FUNCTION ctct_engagement_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In one order, so that two writers never wait for each other.
    INSERT INTO ctct_engagement_day AS counted (day_utc, stream_id, events)
    SELECT
        (occurred_at AT TIME ZONE 'UTC')::date AS day_utc,
        stream_id,
        CASE TG_OP WHEN 'DELETE' THEN -count(*) ELSE count(*) END
    FROM changed
    GROUP BY 1, 2
    ORDER BY 1, 2
    ON CONFLICT (day_utc, stream_id) DO UPDATE SET events = counted.events + excluded.events;
    RETURN NULL;
END
$$;

CREATE TRIGGER ctct_engagement_added
AFTER INSERT ON ctct_engagement REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION ctct_engagement_count();

-- Nothing here deletes events; a person who repairs the ledger may.
CREATE TRIGGER ctct_engagement_taken
AFTER DELETE ON ctct_engagement REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION ctct_engagement_count();

-- The triggers keep writers out until this is committed: what is there is counted whole.
INSERT INTO ctct_engagement_day (day_utc, stream_id, events)
SELECT
    (occurred_at AT TIME ZONE 'UTC')::date AS day_utc,
    stream_id,
    count(*)
FROM ctct_engagement
GROUP BY 1, 2;

-- Calls to the token endpoint have a whole URL as their path, and are few.
CREATE INDEX ctct_api_call_token ON ctct_api_call (called_at DESC) WHERE path LIKE 'http%';

-- What waits for a person is little among all that was ever asked for.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_opt_out_change'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_opt_out_change_failed
        ON crm_opt_out_change (contact_id, change_id) WHERE status = 'failed';
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_list_membership'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_list_membership_unmet
        ON crm_list_membership (status, processed_at) WHERE status IN ('held', 'rejected', 'failed');
    END IF;
END
$$;
