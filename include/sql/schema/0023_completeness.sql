-- Nothing missing in silence: what the contract does not name is read, and what the vendor counts
-- is held against what is stored.

-- Activities of roles that the contract does not name may have reports, which was learned late:
-- those that are known already get their streams.
INSERT INTO ctct_engagement_stream (campaign_activity_id, activity_type)
SELECT
    activity.campaign_activity_id,
    tracker.activity_type
FROM ctct_campaign_activity AS activity
CROSS JOIN (
    VALUES ('send'), ('open'), ('click'), ('bounce'), ('forward'), ('opt_out')
) AS tracker (activity_type)
WHERE activity.role <> 'permalink'
ORDER BY activity.campaign_activity_id
ON CONFLICT (campaign_activity_id, activity_type) DO NOTHING;

COMMENT ON COLUMN ctct_campaign_activity.role IS
'The vendor''s word; a permalink has no report, an activity of any other role may have one.';

ALTER TABLE ctct_engagement_stream ADD COLUMN no_report_since timestamptz;
COMMENT ON COLUMN ctct_engagement_stream.no_report_since IS
'Since when the vendor itself answers that there is no such report; asked ever more rarely.';

ALTER TABLE ctct_engagement_stream
ADD COLUMN malformed_count integer NOT NULL DEFAULT 0,
ADD COLUMN left_out_count integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN ctct_engagement_stream.malformed_count IS
'Rows without a contact or a time, when the report was last read whole; not in the ledger.';
COMMENT ON COLUMN ctct_engagement_stream.left_out_count IS
'Erased contacts that the report has new events of; not in the ledger.';

-- Both sides of the comparison. The ledger's is counted again where its number of events changed.
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
    noun text NOT NULL CHECK (noun IN ('campaign', 'contacts', 'list')),
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
'Why, as one word of constant_contact.sync.findings; null: not known.';
COMMENT ON COLUMN ctct_finding.found_at IS
'When the counts were first found to differ.';
