"""What the CRM shows of the ledger."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import TRACKER_BY_TYPE
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import InteractionsReport, project_interactions
from constant_contact.sync.engagement.ledger import sync_engagement
from simulator.server import Running
from tests.support import Add, Rows, contact_id, vendor_contact

ACTIVITY = "00000000-0000-4000-9000-000000000001"


@pytest.fixture
def account(simulator: Running) -> Running:
    """One campaign, two contacts, Ann with one event of each type."""
    at = "2026-05-0{}T10:00:00.000Z"
    ann, bob = contact_id(1), contact_id(2)
    event = {"campaign_activity_id": ACTIVITY, "contact_id": ann}
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")],
        campaigns=[
            {
                "name": "May News",
                "last_sent_date": at.format(1),
                "campaign_activities": [
                    {
                        "role": "primary_email",
                        "campaign_activity_id": ACTIVITY,
                        "sent_at": at.format(1),
                    }
                ],
            }
        ],
        events=[
            event | {"type": "sends", "created_time": at.format(1)},
            event | {"type": "opens", "created_time": at.format(2), "device_type": "mobile"},
            event
            | {
                "type": "clicks",
                "created_time": at.format(3),
                "device_type": "computer",
                "url_id": "7",
                "link_url": "https://example.com/a",
            },
            event | {"type": "bounces", "created_time": at.format(4), "bounce_code": "F"},
            event | {"type": "forwards", "created_time": at.format(5)},
            event | {"type": "optouts", "created_time": at.format(6), "opt_out_reason": "too many"},
            event | {"type": "sends", "created_time": at.format(1), "contact_id": bob},
        ],
    )
    return simulator


@pytest.fixture
def night(client: Client, crm: Database) -> Callable[[], InteractionsReport]:
    def run() -> InteractionsReport:
        sync_contacts(client, crm)
        link_contacts(crm)
        sync_campaigns(client, crm, active_days=10_000)
        sync_engagement(client, crm)
        return project_interactions(crm)

    return run


def shown(sql_rows: Rows) -> set[tuple[str, str]]:
    rows = sql_rows("SELECT contact_id, activity_type FROM crm_interaction")
    return {(row["contact_id"], row["activity_type"]) for row in rows}


ALL_TYPES = set(TRACKER_BY_TYPE)


def test_each_type_is_described_in_words_a_crm_user_reads(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    rows = sql_rows("SELECT activity_type, description FROM crm_interaction")
    assert {row["activity_type"]: row["description"] for row in rows} == {
        "send": "Was sent “May News”",
        "open": "Opened “May News” on a phone",
        "click": "Clicked https://example.com/a in “May News” on a computer",
        "bounce": "“May News”: bounced, the mailbox is full",
        "forward": "Forwarded “May News”",
        "opt_out": "Unsubscribed through “May News”: too many",
    }


def test_an_interaction_names_its_campaign_contact_and_time(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    (click,) = sql_rows("SELECT * FROM crm_interaction WHERE activity_type = 'click'")
    assert click["constant_contact_id"] == contact_id(1)
    assert click["campaign_activity_id"] == ACTIVITY
    assert click["campaign_name"] == "May News"
    assert click["link_url"] == "https://example.com/a"
    assert click["device_type"] == "computer"
    assert click["occurred_at"] == datetime(2026, 5, 3, 10, tzinfo=UTC)


def test_everyone_linked_to_a_contact_has_its_interactions(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    for member in ("c1", "c2"):
        add_crm_contact(member, "ann@example.com")
    add_crm_contact("c3", "nobody@example.com")
    assert night().of_new_links == 2 * len(ALL_TYPES)
    assert shown(sql_rows) == {(member, kind) for member in ("c1", "c2") for kind in ALL_TYPES}


def test_projecting_again_changes_nothing(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    before = sql_rows("SELECT * FROM crm_interaction ORDER BY interaction_id")
    assert str(night()) == "nothing to do"
    assert sql_rows("SELECT * FROM crm_interaction ORDER BY interaction_id") == before


def test_a_contact_linked_today_has_its_whole_history_for_no_call(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows, calls: Callable[..., int]
) -> None:
    night()
    assert shown(sql_rows) == set()
    add_crm_contact("c1", "ann@example.com")
    calls()
    assert night().of_new_links == len(ALL_TYPES)
    assert calls("/tracking/") == 0
    assert shown(sql_rows) == {("c1", kind) for kind in ALL_TYPES}


def test_new_events_of_a_linked_contact_are_added(
    account: Running, add_crm_contact: Add, night: Any
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    account.control.add_events(
        [{"type": "opens", "campaign_activity_id": ACTIVITY, "contact_id": contact_id(1)}]
    )
    report = night()
    assert (report.of_new_events, report.of_new_links, report.moved_away) == (1, 0, 0)


def test_a_moved_link_moves_the_interactions(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    account.control.update_contact(contact_id(1), email="old@example.com")
    account.control.delete_contact(contact_id(1))
    account.control.update_contact(contact_id(2), email="ann@example.com")
    report = night()
    assert report.moved_away == len(ALL_TYPES)
    assert shown(sql_rows) == {("c1", "send")}


def test_a_cleared_link_keeps_what_happened(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    account.control.delete_contact(contact_id(1))
    night()
    assert shown(sql_rows) == {("c1", kind) for kind in ALL_TYPES}


def test_a_contact_that_left_the_crm_leaves_no_interactions(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    sql_rows("DELETE FROM crm_contact")
    assert night().moved_away == len(ALL_TYPES)
    assert shown(sql_rows) == set()


def test_a_contact_that_left_the_crm_after_its_link_was_cleared_leaves_none_either(
    account: Running, add_crm_contact: Add, night: Any, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "ann@example.com")
    night()
    account.control.delete_contact(contact_id(1))
    night()
    sql_rows("DELETE FROM crm_contact")
    assert night().moved_away == len(ALL_TYPES)
    assert shown(sql_rows) == set()
