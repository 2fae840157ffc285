-- The ledger of engagement, and interactions made of it.

CREATE TABLE ctct_engagement_stream (
    stream_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_activity_id text NOT NULL REFERENCES ctct_campaign_activity,
    activity_type text NOT NULL
    CHECK (activity_type IN ('send', 'open', 'click', 'bounce', 'forward', 'opt_out')),
    reported_count integer,
    read_count integer,
    stored_count integer NOT NULL DEFAULT 0,
    covered_from timestamptz,
    covered_to timestamptz,
    head_cursor text,
    head_started_at timestamptz,
    tail_cursor text,
    shortfall integer NOT NULL DEFAULT 0,
    failure text,
    failed_at timestamptz,
    mirrored_at timestamptz,
    no_report_since timestamptz,
    malformed_count integer NOT NULL DEFAULT 0,
    left_out_count integer NOT NULL DEFAULT 0,
    is_unexpected boolean NOT NULL DEFAULT FALSE,
    UNIQUE (campaign_activity_id, activity_type)
);

COMMENT ON TABLE ctct_engagement_stream IS
'One tracker report, an activity and a type, and how much of it is stored.';
COMMENT ON COLUMN ctct_engagement_stream.reported_count IS
'Events by the stats report, when it was last asked; null: it gave no number.';
COMMENT ON COLUMN ctct_engagement_stream.read_count IS
'reported_count when the report was last read to its end.';
COMMENT ON COLUMN ctct_engagement_stream.covered_from IS
'From here to covered_to everything is stored; null with no tail_cursor: from the beginning.';
COMMENT ON COLUMN ctct_engagement_stream.head_cursor IS
'In mid-read: the page of the newest events to go on with.';
COMMENT ON COLUMN ctct_engagement_stream.tail_cursor IS
'In mid-read: the page of the oldest events to go on with.';
COMMENT ON COLUMN ctct_engagement_stream.shortfall IS
'Events that the vendor counts and that no reading found.';
COMMENT ON COLUMN ctct_engagement_stream.failure IS
'Why the vendor refused the report.';
COMMENT ON COLUMN ctct_engagement_stream.no_report_since IS
'Since when the vendor itself answers that there is no such report; asked ever more rarely.';
COMMENT ON COLUMN ctct_engagement_stream.malformed_count IS
'Rows without a contact or a time, when the report was last read whole; not in the ledger.';
COMMENT ON COLUMN ctct_engagement_stream.left_out_count IS
'Erased contacts that the report has new events of; not in the ledger.';
COMMENT ON COLUMN ctct_engagement_stream.is_unexpected IS
'Whether `failure` is an unexpected error of ours, no answer of the vendor''s.';

CREATE TABLE ctct_engagement (
    event_id bigint GENERATED ALWAYS AS IDENTITY,
    stream_id integer NOT NULL,
    ordinal smallint NOT NULL,
    occurred_at timestamptz NOT NULL,
    contact_id text NOT NULL,
    url_id text NOT NULL,
    link_url text,
    device_type text,
    bounce_code text,
    opt_out_reason text
);

COMMENT ON TABLE ctct_engagement IS
'The ledger: every event that the vendor reports, once, whoever it is about. No address.';
COMMENT ON COLUMN ctct_engagement.event_id IS
'In order of arrival: what is new since the last projection stands at the end.';
COMMENT ON COLUMN ctct_engagement.stream_id IS
'→ ctct_engagement_stream.stream_id. The report it came from.';
COMMENT ON COLUMN ctct_engagement.ordinal IS
'Tells events apart that are otherwise identical.';
COMMENT ON COLUMN ctct_engagement.contact_id IS
'→ ctct_contact.contact_id. May be of a contact that was deleted.';
COMMENT ON COLUMN ctct_engagement.url_id IS
'The link of a click; empty for the other types.';
COMMENT ON COLUMN ctct_engagement.bounce_code IS
'B, D, F, S, V, X or Z; what each means is in the view ctct_interaction.';

-- What is new since the last projection stands at the table's end.
CREATE INDEX ctct_engagement_event ON ctct_engagement USING brin (event_id)
WITH (pages_per_range = 16, autosummarize = on);

-- Contact first: a new link brings its history with one look into the index.
CREATE UNIQUE INDEX ctct_engagement_identity
ON ctct_engagement (contact_id, stream_id, occurred_at, url_id, ordinal);

-- A campaign's events, for when it was renamed: a page of events is of one stream.
CREATE INDEX ctct_engagement_stream_events
ON ctct_engagement USING brin (stream_id int4_minmax_multi_ops)
WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE ctct_engagement_day (
    day_utc date NOT NULL,
    stream_id integer NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (day_utc, stream_id)
);

CREATE TABLE ctct_projected_type (
    activity_type text PRIMARY KEY
);

COMMENT ON TABLE ctct_projected_type IS
'The activity types that the CRM''s interactions were made of.';

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

-- How near to its sending an email is opened by a program rather than by a person: security
-- gateways and mail services fetch it on arrival.
CREATE FUNCTION ctct_automatic_within() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '10 seconds';

-- One event as a CRM user reads it; the projection turns it into a row of crm_interaction.
-- `probably_automatic`: an open within seconds of the sending, by someone who clicked nothing.
CREATE VIEW ctct_interaction AS
SELECT
    event.event_id,
    event.contact_id,
    campaign.campaign_id,
    stream.campaign_activity_id,
    campaign.name AS campaign_name,
    stream.activity_type,
    event.occurred_at,
    event.link_url,
    event.device_type,
    event.bounce_code,
    event.opt_out_reason,
    event.stream_id,
    judged.probably_automatic,
    concat_ws(
        '|', stream.campaign_activity_id, stream.activity_type, event.contact_id,
        extract(EPOCH FROM event.occurred_at), event.url_id, event.ordinal
    ) AS identity,
    CASE stream.activity_type
        WHEN 'send' THEN format('Was sent %s', named.campaign)
        WHEN 'open'
            THEN
                concat(
                    format('Opened %s', named.campaign),
                    ' on a ' || device.name,
                    CASE WHEN judged.probably_automatic THEN ' (probably automatic)' END
                )
        WHEN 'click'
            THEN
                concat(
                    format('Clicked %s in %s', coalesce(event.link_url, 'a link'), named.campaign),
                    ' on a ' || device.name
                )
        WHEN 'forward' THEN format('Forwarded %s', named.campaign)
        WHEN 'bounce'
            THEN
                format(
                    '%s: %s',
                    named.campaign,
                    coalesce(
                        bounce.meaning,
                        'bounced, for the reason ' || event.bounce_code,
                        'bounced'
                    )
                )
        ELSE
            concat(
                format('Unsubscribed through %s', named.campaign),
                ': ' || event.opt_out_reason
            )
    END AS description
FROM ctct_engagement AS event
INNER JOIN ctct_engagement_stream AS stream ON event.stream_id = stream.stream_id
INNER JOIN
    ctct_campaign_activity AS activity
    ON stream.campaign_activity_id = activity.campaign_activity_id
INNER JOIN ctct_campaign AS campaign ON activity.campaign_id = campaign.campaign_id
CROSS JOIN
    LATERAL (
        SELECT coalesce('“' || campaign.name || '”', 'an email') AS campaign
    ) AS named
CROSS JOIN
    LATERAL (
        SELECT
            -- In this order: hardly any open comes so early, so hardly any asks for clicks. A
            -- click comes after the sending; the range also keeps all clicks from being hashed.
            CASE
                WHEN stream.activity_type <> 'open' THEN FALSE
                WHEN
                    NOT EXISTS (
                        SELECT
                        FROM ctct_engagement_stream AS sends
                        INNER JOIN ctct_engagement AS send ON sends.stream_id = send.stream_id
                        WHERE
                            sends.campaign_activity_id = stream.campaign_activity_id
                            AND sends.activity_type = 'send'
                            AND send.contact_id = event.contact_id
                            AND send.occurred_at
                            BETWEEN event.occurred_at - ctct_automatic_within()
                            AND event.occurred_at + ctct_automatic_within()
                    )
                    THEN FALSE
                ELSE NOT EXISTS (
                    SELECT
                    FROM ctct_engagement_stream AS clicks
                    INNER JOIN ctct_engagement AS click ON clicks.stream_id = click.stream_id
                    WHERE
                        clicks.campaign_activity_id = stream.campaign_activity_id
                        AND clicks.activity_type = 'click'
                        AND click.contact_id = event.contact_id
                        AND click.occurred_at >= event.occurred_at - 2 * ctct_automatic_within()
                )
            END AS probably_automatic
    ) AS judged
LEFT JOIN (
    VALUES
    ('computer', 'computer'),
    ('mobile', 'phone'),
    ('tablet', 'tablet')
) AS device (device_type, name) ON event.device_type = device.device_type
-- getBounces, BouncesTrackingActivity.bounce_code
LEFT JOIN (
    VALUES
    ('B', 'bounced, the address does not exist'),
    ('D', 'could not be delivered, the mail server did not answer'),
    ('F', 'bounced, the mailbox is full'),
    ('S', 'was not sent, the address is suspended after earlier bounces'),
    ('V', 'was delivered, an automatic reply came back'),
    ('X', 'bounced, the mail server gave another reason'),
    ('Z', 'was blocked by the mail server')
) AS bounce (code, meaning) ON event.bounce_code = bounce.code;
COMMENT ON VIEW ctct_interaction IS
'One event of the ledger as a CRM user reads it.';

CREATE TRIGGER ctct_engagement_added
AFTER INSERT ON ctct_engagement REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION ctct_engagement_count();

CREATE TRIGGER ctct_engagement_taken
AFTER DELETE ON ctct_engagement REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION ctct_engagement_count();

INSERT INTO ctct_projected_type (activity_type)
VALUES ('send'), ('open'), ('click'), ('bounce'), ('forward'), ('opt_out');
