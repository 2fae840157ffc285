-- The mirror: what the vendor's API says, stored as it is. Identifiers are text: the contract
-- calls them UUIDs, but its own examples are not all.

-- How two spellings of one address are told to be the same: trimmed and case-folded.
CREATE FUNCTION ctct_email_key(address text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN nullif(lower(btrim(address, E' \t\r\n\u00a0\u200b')), '');

CREATE TABLE ctct_list (
    list_id text PRIMARY KEY,
    name text,
    description text,
    favorite boolean,
    membership_count integer,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    mirrored_at timestamptz NOT NULL
);

-- What the CRM shows in its list dropdown.
CREATE VIEW crm_list AS
SELECT
    list_id,
    name,
    membership_count,
    updated_at
FROM ctct_list
WHERE deleted_at IS NULL;

CREATE TABLE ctct_contact (
    contact_id text PRIMARY KEY,
    email_address text,
    email_key text GENERATED ALWAYS AS (ctct_email_key(email_address)) STORED,
    permission_to_send text,
    opt_out_source text,
    opt_out_date timestamptz,
    opt_out_reason text,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    mirrored_at timestamptz NOT NULL
);

-- Linking goes from the CRM's address to the living contact that has it.
CREATE INDEX ctct_contact_email ON ctct_contact (email_key) WHERE deleted_at IS NULL;

-- Before someone is mailed again: whether another CRM contact with the same link says no.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'crm_contact'::regclass) IN ('r', 'p') THEN
        CREATE INDEX IF NOT EXISTS crm_contact_who_says_no
        ON crm_contact (constant_contact_id) WHERE do_not_email;
    END IF;
END
$$;

CREATE TABLE ctct_campaign (
    campaign_id text PRIMARY KEY,
    name text,
    type text,
    type_code integer,
    current_status text,
    created_at timestamptz,
    updated_at timestamptz,
    -- From the summary report; a campaign without one was never sent or is not reported.
    last_sent_at timestamptz,
    unique_sends integer,
    unique_opens integer,
    unique_clicks integer,
    unique_bounces integer,
    unique_forwards integer,
    unique_opt_outs integer,
    -- When the summary last showed other figures than before.
    moved_at timestamptz,
    -- When the campaign's activities were last asked for, and `last_sent_at` as it was then: a
    -- later one is a resend, which is an activity of its own.
    activities_read_at timestamptz,
    activities_last_sent_at timestamptz,
    mirrored_at timestamptz NOT NULL
);

CREATE TABLE ctct_campaign_activity (
    campaign_activity_id text PRIMARY KEY,
    campaign_id text NOT NULL REFERENCES ctct_campaign,
    role text,
    stats_refreshed_at timestamptz,
    mirrored_at timestamptz NOT NULL
);

CREATE INDEX ctct_campaign_activity_campaign ON ctct_campaign_activity (campaign_id);

-- One stream is one tracker report: an activity and a type. Coverage: everything that occurred
-- from `covered_from` (null with no `tail_cursor`: the beginning) to `covered_to` is stored.
CREATE TABLE ctct_engagement_stream (
    stream_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_activity_id text NOT NULL REFERENCES ctct_campaign_activity,
    activity_type text NOT NULL
    CHECK (activity_type IN ('send', 'open', 'click', 'bounce', 'forward', 'opt_out')),
    -- By the stats report, when it was last asked; null: the vendor gave no number.
    reported_count integer,
    -- `reported_count` when the stream was last read to its end.
    read_count integer,
    stored_count integer NOT NULL DEFAULT 0,
    covered_from timestamptz,
    covered_to timestamptz,
    -- In mid-read: the page to go on with, of the newest events and of the oldest ones.
    head_cursor text,
    head_started_at timestamptz,
    tail_cursor text,
    -- How many events the vendor counts that no read found; shown, and read for once each.
    shortfall integer NOT NULL DEFAULT 0,
    -- Why the vendor refused the report, and when.
    failure text,
    failed_at timestamptz,
    mirrored_at timestamptz,
    UNIQUE (campaign_activity_id, activity_type)
);

-- The engagement ledger. The API gives no event id: the natural key is the vendor's contact, the
-- stream, the time, the link, and an ordinal that tells identical rows apart.
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

-- Contact first: a new link brings its history with one look into the index.
CREATE UNIQUE INDEX ctct_engagement_identity
ON ctct_engagement (contact_id, stream_id, occurred_at, url_id, ordinal);

-- What is new since the last projection stands at the table's end.
CREATE INDEX ctct_engagement_event ON ctct_engagement USING brin (event_id)
WITH (pages_per_range = 16, autosummarize = on);

-- Which vendor's contact a CRM contact's interactions were made from. Where the CRM's link says
-- otherwise by now, the projection has work.
CREATE TABLE ctct_projected_link (
    crm_contact_id text PRIMARY KEY,
    constant_contact_id text NOT NULL
);

CREATE INDEX ctct_projected_link_contact ON ctct_projected_link (constant_contact_id);

-- One event as a CRM user reads it; the projection turns it into a row of crm_interaction.
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
    concat_ws(
        '|', stream.campaign_activity_id, stream.activity_type, event.contact_id,
        extract(EPOCH FROM event.occurred_at), event.url_id, event.ordinal
    ) AS identity,
    CASE stream.activity_type
        WHEN 'send' THEN format('Was sent %s', named.campaign)
        WHEN 'open'
            THEN concat(format('Opened %s', named.campaign), ' on a ' || device.name)
        WHEN 'click'
            THEN
                concat(
                    format('Clicked %s in %s', coalesce(event.link_url, 'a link'), named.campaign),
                    ' on a ' || device.name
                )
        WHEN 'forward' THEN format('Forwarded %s', named.campaign)
        WHEN 'bounce'
            THEN format('%s: %s', named.campaign, coalesce(bounce.meaning, 'bounced'))
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
