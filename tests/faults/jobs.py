"""The jobs under test, what each finds when it starts, and what it must leave behind."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from constant_contact.api.client import Client
from constant_contact.errors import BulkPending
from constant_contact.store.database import Database
from constant_contact.sync.consent.opt_outs import push_opt_outs
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.push import push_memberships
from simulator.control import Control
from tests.faults import account

Run = Callable[[Client, Database], Any]
Rows = dict[str, list[dict[str, Any]]]


def contacts_and_links(client: Client, crm: Database) -> None:
    sync_contacts(client, crm, full=True)
    link_contacts(crm)


def changed_contacts_and_links(client: Client, crm: Database) -> None:
    sync_contacts(client, crm)
    link_contacts(crm)


def activities(client: Client, crm: Database) -> None:
    sync_campaigns(client, crm)
    sync_engagement(client, crm)
    project_interactions(crm)


def night(client: Client, crm: Database) -> None:
    contacts_and_links(client, crm)
    activities(client, crm)


def memberships(client: Client, crm: Database) -> None:
    """As Airflow reschedules it, and the night after: what a run reads depends on its beginning."""
    for _ in range(5):
        with suppress(BulkPending):
            push_memberships(client, crm, waits_s=(0, 0, 0), grace_s=0)
            break
    contacts_and_links(client, crm)


def _nothing(_: Any) -> None:
    return None


@dataclass(frozen=True)
class Job:
    """One job and its scene.

    Attributes:
        run: The job.
        before: What ran, undisturbed, before it.
        at_vendor: What happened at the vendor since.
        in_crm: What happened in the CRM since.
        lane: Of the API budget.
    """

    run: Run
    before: Sequence[Run] = ()
    at_vendor: Callable[[Control], None] = _nothing
    in_crm: Callable[[psycopg.Connection[Any]], None] = _nothing
    lane: str = "engagement"


JOBS = {
    "lists": Job(sync_lists),
    "contacts_full": Job(sync_contacts),
    "contacts_changed": Job(sync_contacts, before=[sync_contacts], at_vendor=account.edit_contacts),
    "links": Job(
        contacts_and_links, before=[contacts_and_links], at_vendor=account.purge_a_contact
    ),
    "links_changed": Job(
        changed_contacts_and_links,
        before=[contacts_and_links],
        at_vendor=account.edit_contacts,
    ),
    "campaigns": Job(sync_campaigns),
    "engagement": Job(sync_engagement, before=[sync_campaigns]),
    "activities": Job(activities, before=[night], at_vendor=account.add_opens),
    "night": Job(night),
    "opt_outs": Job(
        push_opt_outs,
        before=[contacts_and_links],
        at_vendor=account.delete_flagged,
        in_crm=account.flag_people,
        lane="opt_outs",
    ),
    "memberships": Job(
        memberships,
        before=[sync_lists, contacts_and_links],
        at_vendor=account.delete_wanted,
        in_crm=account.want_lists,
        lane="memberships",
    ),
}

# In the order of their foreign keys. Not state: the call log, the budget, the token's row.
TABLES = (
    "crm_contact",
    "crm_opt_out_change",
    "crm_list_membership",
    "crm_interaction",
    "ctct_list",
    "ctct_contact",
    "ctct_campaign",
    "ctct_campaign_count",
    "ctct_campaign_activity",
    "ctct_engagement_stream",
    "ctct_engagement",
    "ctct_link",
    "ctct_left_contact",
    "ctct_former_key",
    "ctct_objection",
    "ctct_sync_state",
)
_FORGOTTEN = (
    "ctct_api_budget",
    "ctct_api_call",
    "ctct_token",
    "ctct_consent",
    "ctct_hold",
    "ctct_cut_over",
    "ctct_bulk_activity",
)

# Ours, not the vendor's: whether there is one counts, not which.
_OWN_TIMES = {
    "crm_opt_out_change": {"changed_at", "processed_at"},
    "crm_list_membership": {"requested_at", "processed_at", "refused_at"},
    "crm_interaction": {"loaded_at"},
    "ctct_list": {"mirrored_at"},
    "ctct_contact": {"mirrored_at"},
    "ctct_campaign": {
        "mirrored_at",
        "moved_at",
        "activities_read_at",
        "refused_at",
        "refused_since",
    },
    "ctct_campaign_count": {"counted_at", "changed_at", "noted_at"},
    "ctct_campaign_activity": {"mirrored_at", "stats_refreshed_at"},
    "ctct_engagement_stream": {
        "mirrored_at",
        "covered_to",
        "head_started_at",
        "failed_at",
        "reread_since",
        "reread_at",
    },
    "ctct_link": {"linked_at", "seen_at"},
    "ctct_left_contact": {"left_at"},
    "ctct_objection": {"objected_at", "heard_at", "lifted_at"},
    "ctct_sync_state": {"full_pass_at", "reading_since"},
}
# Serial numbers and what counts the work done rather than what it came to.
_LEFT_OUT = {
    "crm_opt_out_change": {"change_id"},
    "ctct_engagement_stream": {"stream_id"},
    "ctct_engagement": {"event_id", "stream_id"},
    "ctct_objection": {"objection_id", "change_id"},
    "ctct_sync_state": {"rows_read", "reading_from", "position"},
}
_READ = {
    # An opt-out of ours whose answer was lost is heard as the vendor's own: as cautious.
    "ctct_objection": "SELECT * FROM ctct_objection AS heard WHERE source NOT LIKE 'vendor%'"
    " OR NOT EXISTS (SELECT FROM crm_opt_out_change AS change"
    " WHERE change.do_not_email AND change.constant_contact_id = heard.constant_contact_id)",
    "ctct_engagement": "SELECT activity.campaign_activity_id, activity.activity_type, event.*"
    " FROM ctct_engagement AS event JOIN ctct_engagement_stream AS activity USING (stream_id)",
    "ctct_sync_state": "SELECT state.*, noun = 'interactions' AND position ="
    " (SELECT max(event_id) FROM ctct_engagement) AS all_projected FROM ctct_sync_state AS state"
    # How far a look right before a write came.
    " WHERE noun NOT LIKE 'recent%'",
}


def read(connection: psycopg.Connection[Any]) -> Rows:
    """The CRM's and the mirror's rows, by table."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return {
        table: cursor.execute(_READ.get(table, f"SELECT * FROM {table}")).fetchall()
        for table in TABLES
    }


def dump(rows: Rows, without: Sequence[str] = ()) -> str:
    """The rows as text, without our own times, serial numbers and the columns `without`."""
    lines = []
    for table in TABLES:
        shown = [_shown(table, row, without) for row in rows[table]]
        lines += sorted(f"{table} {json.dumps(row, default=str)}" for row in shown)
    dumped = "\n".join(lines)
    for row in rows["ctct_contact"]:
        # The vendor makes up the ids of new contacts.
        if not row["contact_id"].startswith(account.OLD_CONTACT):
            dumped = dumped.replace(row["contact_id"], row["email_address"])
    return "\n".join(sorted(dumped.splitlines()))


def differences(found: str, expected: str) -> list[str]:
    """The rows that only one of two dumps has: "+" too much, "-" missing."""
    there, wanted = Counter(found.splitlines()), Counter(expected.splitlines())
    return [f"+ {row}" for row in (there - wanted)] + [f"- {row}" for row in (wanted - there)]


def _shown(table: str, row: dict[str, Any], without: Sequence[str]) -> dict[str, Any]:
    own = _OWN_TIMES.get(table, set())
    if row.get("noun") == "activities":
        own = own | {"covered_to"}
    if table == "ctct_contact" and row["deleted_at"] and row["deleted_at"] > account.VENDOR_TODAY:
        # Purged: the time is ours.
        own = own | {"deleted_at"}
    if row.get("status") == "done":
        # Whether we did it or found it done: after a write without an answer, that is unknown.
        own = own | {"detail"}
    left_out = _LEFT_OUT.get(table, set()).union(without)
    return {
        name: value is not None if name in own else value
        for name, value in row.items()
        if name not in left_out
    }


def keep(connection: psycopg.Connection[Any]) -> None:
    """Remember the rows as they are, and how to bring them back."""
    cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
    connection.execute("CREATE SCHEMA kept")
    steps = [f"DELETE FROM {table};" for table in (*_FORGOTTEN, *reversed(TABLES))]
    for table in TABLES:
        connection.execute(f"CREATE TABLE kept.{table} AS TABLE {table}")
        columns = cursor.execute(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
            [table],
        ).fetchone()
        names = columns[0] if columns else ""
        # The CRM's contacts ring when they are put back: that is no news.
        steps.append(
            f"DELETE FROM {table}; INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE"
            f" SELECT {names} FROM kept.{table};"
        )
    connection.execute(
        f"CREATE PROCEDURE kept.restore() LANGUAGE sql AS $restore$ {' '.join(steps)} $restore$"
    )


def restore(connection: psycopg.Connection[Any]) -> None:
    """Bring back the rows as they were at `keep`."""
    connection.execute("CALL kept.restore()")
