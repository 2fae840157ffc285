-- What the pages of campaigns and lists show: counts as the comparison reads them, and opens by
-- programs; and contacts by the beginning of a name.

ALTER TABLE ctct_campaign_count ADD COLUMN automatic integer;
COMMENT ON COLUMN ctct_campaign_count.automatic IS
'Of opens: contacts whose every open is probably automatic; null: not counted yet.';

-- The contract does not say whether the summary counts a contact once for each activity, for the
-- campaign or for each link, or all events: what fits three campaigns of the account, at least half
-- of them, and more than once for each activity does, is taken. Else once for each activity, and of
-- types that do not repeat as a rule all events.
CREATE VIEW ctct_campaign_compared AS
WITH fitting AS (
    SELECT
        activity_type,
        greatest(
            3,
            count(*) / 2.0,
            count(*) FILTER (WHERE vendor_count = recipients) + 1
        ) AS least,
        count(*) FILTER (WHERE vendor_count = contacts) AS by_campaign,
        count(*) FILTER (WHERE vendor_count = links) AS by_link,
        count(*) FILTER (WHERE vendor_count = events) AS by_event
    FROM ctct_campaign_count
    WHERE vendor_count > 0 AND events IS NOT NULL
    GROUP BY activity_type
)

SELECT
    counted.campaign_id,
    counted.activity_type,
    counted.vendor_count,
    counted.counted_at,
    counted.changed_at,
    counted.due_count,
    counted.events,
    counted.automatic,
    CASE
        WHEN
            fitting.by_campaign >= greatest(fitting.least, fitting.by_link, fitting.by_event)
            THEN counted.contacts
        WHEN fitting.by_link >= greatest(fitting.least, fitting.by_event) THEN counted.links
        WHEN fitting.by_event >= fitting.least THEN counted.events
        WHEN counted.activity_type IN ('open', 'click') THEN counted.recipients
        ELSE counted.events
    END AS our_count
FROM ctct_campaign_count AS counted
LEFT JOIN fitting ON counted.activity_type = fitting.activity_type;

COMMENT ON VIEW ctct_campaign_compared IS
'A campaign''s counts by activity type: Constant Contact''s, and ours as they are compared.';
COMMENT ON COLUMN ctct_campaign_compared.campaign_id IS
'→ ctct_campaign.campaign_id.';
COMMENT ON COLUMN ctct_campaign_compared.our_count IS
'The ledger''s, counted as the summary report counts; null: not counted yet.';

-- Both sides of the comparison of lists: what the page shows is what was compared.
CREATE TABLE ctct_list_count (
    list_id text PRIMARY KEY,
    fewest integer NOT NULL,
    most integer NOT NULL,
    counted_at timestamptz NOT NULL
);
COMMENT ON TABLE ctct_list_count IS
'The members of each list in the mirror, as they were last counted.';
COMMENT ON COLUMN ctct_list_count.list_id IS
'→ ctct_list.list_id.';
COMMENT ON COLUMN ctct_list_count.fewest IS
'Without contacts that are unsubscribed or deleted.';
COMMENT ON COLUMN ctct_list_count.most IS
'All of them.';

-- A person types how a name begins. What is longer than an index holds is no name.
CREATE INDEX ctct_link_first_name ON ctct_link (left(lower(first_name), 100) text_pattern_ops);
CREATE INDEX ctct_link_last_name ON ctct_link (left(lower(last_name), 100) text_pattern_ops);
