-- Campaigns, and what the vendor counts of them beside what is stored.

CREATE TABLE ctct_campaign (
    campaign_id text PRIMARY KEY,
    name text,
    type text,
    type_code integer,
    current_status text,
    created_at timestamptz,
    updated_at timestamptz,
    last_sent_at timestamptz,
    unique_sends integer,
    unique_opens integer,
    unique_clicks integer,
    unique_bounces integer,
    unique_forwards integer,
    unique_opt_outs integer,
    moved_at timestamptz,
    activities_read_at timestamptz,
    activities_last_sent_at timestamptz,
    mirrored_at timestamptz NOT NULL,
    projected_name text
);

COMMENT ON TABLE ctct_campaign IS
'The account''s campaigns, with the unique counts of the vendor''s summary report.';
COMMENT ON COLUMN ctct_campaign.last_sent_at IS
'Null: never sent, or not reported.';
COMMENT ON COLUMN ctct_campaign.moved_at IS
'When the summary report last showed other figures than before.';
COMMENT ON COLUMN ctct_campaign.activities_read_at IS
'When its activities were last asked for.';
COMMENT ON COLUMN ctct_campaign.activities_last_sent_at IS
'last_sent_at as it was then: a later one is a resend, which is an activity of its own.';
COMMENT ON COLUMN ctct_campaign.projected_name IS
'The name in its interactions; '''' for none, null: it has none yet.';

CREATE TABLE ctct_campaign_activity (
    campaign_activity_id text PRIMARY KEY,
    campaign_id text NOT NULL REFERENCES ctct_campaign,
    role text,
    stats_refreshed_at timestamptz,
    mirrored_at timestamptz NOT NULL
);

COMMENT ON TABLE ctct_campaign_activity IS
'One sending of a campaign: what the tracker reports are about.';
COMMENT ON COLUMN ctct_campaign_activity.role IS
'The vendor''s word; a permalink has no report, an activity of any other role may have one.';
COMMENT ON COLUMN ctct_campaign_activity.stats_refreshed_at IS
'When the exact counts were last asked for.';

CREATE INDEX ctct_campaign_activity_campaign ON ctct_campaign_activity (campaign_id);

CREATE TABLE ctct_campaign_count (
    campaign_id text NOT NULL,
    activity_type text NOT NULL,
    vendor_count integer NOT NULL,
    counted_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    noted_count integer NOT NULL,
    noted_at timestamptz NOT NULL,
    due_count integer,
    events bigint,
    contacts integer,
    recipients integer,
    links integer,
    PRIMARY KEY (campaign_id, activity_type)
);

COMMENT ON TABLE ctct_campaign_count IS
'A campaign''s contacts by activity type: as the summary report counts them, and in the ledger.';
COMMENT ON COLUMN ctct_campaign_count.campaign_id IS
'→ ctct_campaign.campaign_id.';
COMMENT ON COLUMN ctct_campaign_count.vendor_count IS
'By the summary report, when it last had the campaign with a number.';
COMMENT ON COLUMN ctct_campaign_count.changed_at IS
'When vendor_count was last another than before.';
COMMENT ON COLUMN ctct_campaign_count.noted_count IS
'vendor_count as it was at noted_at; moves on once a day.';
COMMENT ON COLUMN ctct_campaign_count.due_count IS
'vendor_count as it was a day before noted_at or longer ago: the ledger must have as many.';
COMMENT ON COLUMN ctct_campaign_count.events IS
'Events in the ledger; null: not counted yet.';
COMMENT ON COLUMN ctct_campaign_count.contacts IS
'Contacts in the ledger.';
COMMENT ON COLUMN ctct_campaign_count.recipients IS
'The same, a contact once for each activity of the campaign: how the summary counts, as a rule.';
COMMENT ON COLUMN ctct_campaign_count.links IS
'The same, a contact once for each activity and link.';

CREATE TABLE ctct_finding (
    noun text NOT NULL
    CHECK (noun IN ('campaign', 'contacts', 'list')),
    subject_id text NOT NULL,
    kind text NOT NULL,
    vendor_count integer NOT NULL,
    our_count integer NOT NULL,
    reason text,
    detail text,
    found_at timestamptz NOT NULL,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (noun, subject_id, kind)
);

COMMENT ON TABLE ctct_finding IS
'Where what is stored is not what the vendor counts; a row goes when the counts agree.';
COMMENT ON COLUMN ctct_finding.subject_id IS
'The campaign or list; empty for the account''s contacts.';
COMMENT ON COLUMN ctct_finding.kind IS
'Of a campaign the activity type, of contacts the permission, of a list empty.';
COMMENT ON COLUMN ctct_finding.reason IS
'Why, as one word of constant_contact.sync.upkeep.findings; null: not known.';
COMMENT ON COLUMN ctct_finding.found_at IS
'When the counts were first found to differ.';
