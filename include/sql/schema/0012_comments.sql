-- What each table is, and what its columns don't say by themselves: for whoever looks into the
-- database, and for docs/reference/tables.md. A comment that begins with "→" names the column that
-- this one refers to, where no foreign key says so.

COMMENT ON TABLE ctct_list IS
'The account''s lists, as the vendor has them.';
COMMENT ON COLUMN ctct_list.deleted_at IS
'When it was first missing at the vendor; null: it is there.';
COMMENT ON COLUMN ctct_list.mirrored_at IS
'When the vendor last showed it.';

COMMENT ON VIEW crm_list IS
'What the CRM shows in its list dropdown: the lists that are there.';

COMMENT ON TABLE ctct_contact IS
'The account''s contacts, as the vendor has them: nothing of a person but the address.';
COMMENT ON COLUMN ctct_contact.contact_id IS
'The vendor''s id; the CRM''s is another.';
COMMENT ON COLUMN ctct_contact.email_key IS
'The address as it is compared: trimmed, lower case.';
COMMENT ON COLUMN ctct_contact.permission_to_send IS
'The vendor''s word: implicit, explicit, unsubscribed, pending_confirmation and others.';
COMMENT ON COLUMN ctct_contact.opt_out_source IS
'Contact: the person asked, and only the person can undo it. Account: the account did it.';
COMMENT ON COLUMN ctct_contact.deleted_at IS
'Set: deleted at the vendor, or not known there any more (then without an address).';
COMMENT ON COLUMN ctct_contact.list_ids IS
'→ ctct_list.list_id. The lists it is on; null: not read yet.';
COMMENT ON COLUMN ctct_contact.mirrored_at IS
'As of when the row is: an older answer never replaces it.';

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

COMMENT ON TABLE ctct_campaign_activity IS
'One sending of a campaign: what the tracker reports are about.';
COMMENT ON COLUMN ctct_campaign_activity.role IS
'The vendor''s word; only primary_email and resend have reports.';
COMMENT ON COLUMN ctct_campaign_activity.stats_refreshed_at IS
'When the exact counts were last asked for.';

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

COMMENT ON VIEW ctct_interaction IS
'One event of the ledger as a CRM user reads it.';
COMMENT ON TABLE ctct_projected_link IS
'Of which of the vendor''s contacts a CRM contact''s interactions were made.';
COMMENT ON COLUMN ctct_projected_link.crm_contact_id IS
'→ crm_contact.contact_id.';
COMMENT ON COLUMN ctct_projected_link.constant_contact_id IS
'→ ctct_contact.contact_id.';
COMMENT ON TABLE ctct_projected_type IS
'The activity types that the CRM''s interactions were made of.';

COMMENT ON TABLE ctct_api_budget IS
'One row an API key: who may call next, and what is left of the day.';
COMMENT ON COLUMN ctct_api_budget.api_key_digest IS
'A digest; the key itself is not in the database.';
COMMENT ON COLUMN ctct_api_budget.day_utc IS
'The day that calls counts.';
COMMENT ON COLUMN ctct_api_budget.next_call_at IS
'The first turn that is free.';
COMMENT ON COLUMN ctct_api_budget.spacing_s IS
'Between two turns; the fastest and the slowest answers decide how much.';
COMMENT ON COLUMN ctct_api_budget.spent_day_utc IS
'The day that the vendor called spent, whatever was counted here.';
COMMENT ON COLUMN ctct_api_budget.spent_calls_per_day IS
'The setting calls_per_day as it was then; who raises it says that the vendor allows more.';

COMMENT ON TABLE ctct_api_call IS
'One row for each API call; kept for call_log_days. No secret, no address.';
COMMENT ON COLUMN ctct_api_call.status IS
'Of the answer; null: none came.';
COMMENT ON COLUMN ctct_api_call.items IS
'Rows of the answer''s first list; null: it has none.';
COMMENT ON COLUMN ctct_api_call.waited_ms IS
'For the call''s turn, before it was made.';
COMMENT ON COLUMN ctct_api_call.request_id IS
'The vendor''s; its support asks for it, and for tracking_id.';
COMMENT ON COLUMN ctct_api_call.reply_body IS
'Of an error only: redacted, cut.';

COMMENT ON TABLE ctct_token IS
'The row that refreshes of a connection''s tokens queue for. The tokens are in Airflow.';
COMMENT ON TABLE ctct_sync_state IS
'How far each reading of the API has come.';
COMMENT ON COLUMN ctct_sync_state.noun IS
'What is read; interactions: what is projected.';
COMMENT ON COLUMN ctct_sync_state.covered_to IS
'What the vendor changed before this is in the mirror.';
COMMENT ON COLUMN ctct_sync_state.full_pass_at IS
'When all of it was last read.';
COMMENT ON COLUMN ctct_sync_state.reading IS
'In mid-read: full or changed; the next run goes on at cursor.';
COMMENT ON COLUMN ctct_sync_state.position IS
'→ ctct_engagement.event_id. The last that is projected.';
COMMENT ON TABLE ctct_schema_version IS
'The files of include/sql/schema that were applied.';

COMMENT ON TABLE ctct_hold IS
'One stop of the circuit breaker, and a person''s answer to it.';
COMMENT ON COLUMN ctct_hold.asked_at IS
'When Airflow put the question.';
COMMENT ON TABLE ctct_consent IS
'Every decision about a change of Do Not Email. Nothing here is edited or deleted.';
COMMENT ON COLUMN ctct_consent.change_id IS
'→ crm_opt_out_change.change_id.';
COMMENT ON COLUMN ctct_consent.decided_by IS
'The person who decided; null: the rules did.';
COMMENT ON COLUMN ctct_consent.called_at IS
'The call that the decision rests on, as in ctct_api_call.';
COMMENT ON TABLE ctct_confirmation IS
'Whom the vendor has sent its confirmation mail: once ever to a contact.';
COMMENT ON COLUMN ctct_confirmation.answer IS
'The vendor''s; null: nobody knows whether the mail was sent.';
COMMENT ON VIEW crm_consent_difference IS
'Where the two sides disagree about whether a linked contact may be mailed.';

COMMENT ON TABLE ctct_bulk_activity IS
'One call that changes list memberships, and what became of it.';
COMMENT ON COLUMN ctct_bulk_activity.state IS
'planned, sending (no answer stored), queued (at the vendor), ended, done (every row decided).';
COMMENT ON COLUMN ctct_bulk_activity.activity_id IS
'The vendor''s, kept before it is asked after.';
COMMENT ON COLUMN ctct_bulk_activity.is_adopted IS
'Found at the vendor after a crash: its counters prove nothing.';
COMMENT ON COLUMN ctct_bulk_activity.adds_up IS
'Whether the vendor''s counters say that all went through.';
COMMENT ON TABLE ctct_bulk_activity_row IS
'The requests that a call carries.';
COMMENT ON COLUMN ctct_bulk_activity_row.contact_id IS
'→ crm_list_membership.contact_id.';
COMMENT ON COLUMN ctct_bulk_activity_row.target IS
'The vendor''s contact, or the address of one to be created (which decided calls forget).';

-- The CRM's side may be a firm's own: a comment that is there stays, and a view, or a table of
-- somebody else's, gets none.
DO $$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT
            relation.oid::regclass AS relation,
            attribute.attname AS column_name,
            given.comment
        FROM (
            VALUES
            ('crm_contact', NULL, 'The CRM''s contacts: the one place where they are born and die.'),
            ('crm_contact', 'do_not_email', 'Null means false. A change becomes a row of crm_opt_out_change.'),
            ('crm_contact', 'constant_contact_id', '→ ctct_contact.contact_id. The link, written by the integration.'),
            ('crm_opt_out_change', NULL, 'Outbox: each change of Do Not Email on its way to the vendor, and what became of it.'),
            ('crm_opt_out_change', 'contact_id', '→ crm_contact.contact_id. May have left the CRM.'),
            ('crm_opt_out_change', 'constant_contact_id', '→ ctct_contact.contact_id. Whom it is about at the vendor.'),
            ('crm_opt_out_change', 'requested_by_contact', 'The person asked for it: only the person can undo it.'),
            ('crm_opt_out_change', 'status', 'pending, done, superseded (a newer one counts), held (a person decides), failed.'),
            ('crm_opt_out_change', 'detail', 'What became of it, in words for a CRM user.'),
            ('crm_opt_out_change', 'released_at', 'When a person let it pass the circuit breaker.'),
            ('crm_opt_out_change', 'changed_by', 'Who changed the flag: what the CRM said, else the database user.'),
            ('crm_opt_out_change', 'hold_id', '→ ctct_hold.hold_id. The stop that holds it, or held it.'),
            ('crm_list_membership', NULL, 'Outbox: who shall be put on a list or taken off it, and what became of it.'),
            ('crm_list_membership', 'contact_id', '→ crm_contact.contact_id.'),
            ('crm_list_membership', 'list_id', '→ ctct_list.list_id.'),
            ('crm_list_membership', 'status', 'pending, done, rejected (cannot be met), held (a person decides), failed.'),
            ('crm_list_membership', 'detail', 'What became of it, in words for a CRM user.'),
            ('crm_list_membership', 'released_at', 'When a person let it pass the circuit breaker.'),
            ('crm_list_membership', 'hold_id', '→ ctct_hold.hold_id. The stop that holds it, or held it.'),
            ('crm_interaction', NULL, 'What contacts did with campaigns, for the CRM''s users. Made of the ledger; can be made anew.'),
            ('crm_interaction', 'interaction_id', 'Of the event and the CRM contact: the same however often it is made.'),
            ('crm_interaction', 'contact_id', '→ crm_contact.contact_id.'),
            ('crm_interaction', 'constant_contact_id', '→ ctct_contact.contact_id.'),
            ('crm_interaction', 'campaign_activity_id', '→ ctct_campaign_activity.campaign_activity_id.'),
            ('crm_interaction', 'description', 'What happened, in one sentence.')
        ) AS given (relation_name, column_name, comment)
        INNER JOIN pg_class AS relation
            ON relation.oid = to_regclass(given.relation_name)
            AND relation.relkind IN ('r', 'p')
            AND pg_has_role(relation.relowner, 'USAGE')
        LEFT JOIN pg_attribute AS attribute
            ON attribute.attrelid = relation.oid
            AND attribute.attname = given.column_name
            AND NOT attribute.attisdropped
        WHERE
            (given.column_name IS NULL) = (attribute.attname IS NULL)
            AND CASE
                WHEN attribute.attname IS NULL THEN obj_description(relation.oid, 'pg_class')
                ELSE col_description(relation.oid, attribute.attnum)
            END IS NULL
    LOOP
        IF entry.column_name IS NULL THEN
            EXECUTE format('COMMENT ON TABLE %s IS %L', entry.relation, entry.comment);
        ELSE
            EXECUTE format(
                'COMMENT ON COLUMN %s.%I IS %L', entry.relation, entry.column_name, entry.comment
            );
        END IF;
    END LOOP;
END
$$;
