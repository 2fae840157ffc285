"""What is unexpected about one row of the vendor's stops no other: it is set aside, and named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import CONTACTS_PER_PAGE
from constant_contact.errors import Unforeseen
from constant_contact.store import engagement
from constant_contact.store.database import Database
from constant_contact.sync import lists as lists_job
from constant_contact.sync.contacts import listing
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.engagement import campaigns
from constant_contact.sync.engagement.campaigns import sync_campaigns
from constant_contact.sync.engagement.interactions import project_interactions
from constant_contact.sync.engagement.ledger import EngagementReport
from constant_contact.sync.lists import sync_lists
from simulator.server import Running
from tests.support import Add, Calls, Rows, contact_id, vendor_contact
from tests.sync.engagement.ledgers import happened, stored

Night = Callable[..., EngagementReport]

OLD, LATER = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"


def refuse(sql_rows: Rows, table: str, condition: str) -> None:
    """The database refuses rows from now on, for a reason that is not foreseen."""
    sql_rows(f"ALTER TABLE {table} ADD CONSTRAINT odd CHECK (NOT ({condition})) NOT VALID")


def accept(sql_rows: Rows, table: str) -> None:
    sql_rows(f"ALTER TABLE {table} DROP CONSTRAINT odd")


def aside(sql_rows: Rows) -> list[tuple[str, str]]:
    rows = sql_rows("SELECT noun, row_id, reason FROM ctct_set_aside ORDER BY 1, 2")
    assert all("set aside" in row["reason"] for row in rows)
    return [(row["noun"], row["row_id"]) for row in rows]


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, row_id: str) -> Iterator[None]:
    """A function that reads one row fails at one."""
    really = getattr(module, name)

    def read(row: dict[str, Any], *others: Any) -> Any:
        if row_id in row.values():
            raise KeyError("odd@example.com")
        return really(row, *others)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(module, name, read)
        yield


@pytest.fixture
def people(simulator: Running) -> Running:
    """1,100 contacts, on three pages."""
    contacts = [
        vendor_contact(n, f"{n}@example.com", created_at=OLD, updated_at=OLD)
        for n in range(1, 1100)
    ]
    # The night reads what changed since, not all once more.
    contacts.append(vendor_contact(1100, "1100@example.com", created_at=OLD, updated_at=LATER))
    simulator.control.load(contacts=contacts)
    return simulator


def mirrored(sql_rows: Rows) -> int:
    return int(sql_rows("SELECT count(*) AS n FROM ctct_contact")[0]["n"])


def test_a_contact_that_the_database_refuses_keeps_no_other_from_the_mirror(
    people: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls
) -> None:
    odd = contact_id(700)
    refuse(sql_rows, "ctct_contact", f"contact_id = '{odd}'")
    assert sync_contacts(client, crm).set_aside == 1
    assert mirrored(sql_rows) == 1099
    assert aside(sql_rows) == [("contact", odd)]
    (kept,) = sql_rows("SELECT reason FROM ctct_set_aside")
    assert "CheckViolation" in kept["reason"]
    assert "example.com" not in kept["reason"]

    calls()
    assert sync_contacts(client, crm).set_aside == 1
    assert calls(odd) == 1
    accept(sql_rows, "ctct_contact")
    assert sync_contacts(client, crm).set_aside == 0
    assert mirrored(sql_rows) == 1100
    assert aside(sql_rows) == []


def test_a_contact_that_cannot_be_read_keeps_no_other_from_the_mirror(
    people: Running, client: Client, crm: Database, sql_rows: Rows, calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    odd = contact_id(700)
    calls()
    with failing(monkeypatch, listing, "parse_contact", odd):
        report = sync_contacts(client, crm)
    assert (report.set_aside, report.malformed, mirrored(sql_rows)) == (1, 0, 1099)
    # It was seen: nothing is read once more for it.
    assert calls("/v3/contacts") == -(-1100 // CONTACTS_PER_PAGE)
    assert sync_contacts(client, crm).set_aside == 0
    assert mirrored(sql_rows) == 1100


def test_a_contact_that_is_set_aside_and_gone_is_asked_for_no_more(
    people: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    refuse(sql_rows, "ctct_contact", f"contact_id = '{contact_id(700)}'")
    sync_contacts(client, crm)
    people.control.purge_contact(contact_id(700))
    assert sync_contacts(client, crm).set_aside == 0


def test_an_error_about_every_row_ends_the_run_and_keeps_nothing(
    people: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    refuse(sql_rows, "ctct_contact", "true")
    with pytest.raises(Unforeseen, match="CheckViolation"):
        sync_contacts(client, crm)
    assert (mirrored(sql_rows), aside(sql_rows)) == (0, [])
    accept(sql_rows, "ctct_contact")
    sync_contacts(client, crm)
    assert mirrored(sql_rows) == 1100


def test_a_page_commits_with_its_place_or_not_at_all(
    people: Running, client: Client, crm: Database, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = listing.state.save

    def save(connection: Any, noun: str, known: Any) -> None:
        if known.rows_read == 2 * CONTACTS_PER_PAGE:
            raise MemoryError
        really(connection, noun, known)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(listing.state, "save", save)
        with pytest.raises(MemoryError):
            sync_contacts(client, crm)
    assert mirrored(sql_rows) == CONTACTS_PER_PAGE
    sync_contacts(client, crm)
    assert mirrored(sql_rows) == 1100


def test_one_stream_that_meets_an_unexpected_error_stops_no_other(
    account: Running, night: Night, crm_url: str, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = engagement.add_page

    def add_page(connection: Any, stream_id: int, events: Any) -> Any:
        if stream_id == 1:
            raise RuntimeError("odd@example.com")
        return really(connection, stream_id, events)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(engagement, "add_page", add_page)
        report = night()
    assert (report.set_aside, report.refused_streams, report.failed_streams) == (1, 0, 0)
    (failed,) = sql_rows(
        "SELECT stream_id, failure FROM ctct_engagement_stream WHERE failure <> ''"
    )
    assert failed["stream_id"] == 1
    assert "RuntimeError" in failed["failure"]
    assert "example.com" not in failed["failure"]
    assert stored(crm_url) < happened(account)

    sql_rows("UPDATE ctct_engagement_stream SET failed_at = failed_at - interval '1 day'")
    assert night().set_aside == 0
    assert stored(crm_url) == happened(account)


def test_an_event_that_the_database_refuses_stops_no_other_stream(
    account: Running, night: Night, crm_url: str, sql_rows: Rows
) -> None:
    refuse(sql_rows, "ctct_engagement", "stream_id = 1")
    assert night().set_aside == 1
    accept(sql_rows, "ctct_engagement")
    sql_rows("UPDATE ctct_engagement_stream SET failed_at = failed_at - interval '1 day'")
    night()
    assert stored(crm_url) == happened(account)


@pytest.mark.parametrize(
    ("table", "noun"), [("ctct_campaign", "campaign"), ("ctct_campaign_activity", "campaign")]
)
def test_one_odd_campaign_keeps_no_other_from_being_read(
    account: Running, client: Client, crm: Database, night: Night, crm_url: str, sql_rows: Rows,
    table: str, noun: str,
) -> None:  # fmt: skip
    odd = next(iter(account.control.truth_events()))["campaign_activity_id"]
    sync_campaigns(client, crm)
    (row,) = sql_rows(
        "SELECT campaign_id FROM ctct_campaign_activity WHERE campaign_activity_id = %s", odd
    )
    activities = "SELECT campaign_activity_id AS id FROM ctct_campaign_activity"
    others = sql_rows(f"{activities} WHERE campaign_id <> %s ORDER BY id", row["campaign_id"])
    sql_rows("TRUNCATE ctct_campaign, ctct_sync_state CASCADE")
    refuse(sql_rows, table, f"campaign_id = '{row['campaign_id']}'")
    report = sync_campaigns(client, crm)
    assert (noun, row["campaign_id"]) in aside(sql_rows)
    assert report.set_aside == len(aside(sql_rows))
    assert sql_rows(f"{activities} ORDER BY id") == others

    accept(sql_rows, table)
    assert sync_campaigns(client, crm).set_aside == 0
    night()
    assert stored(crm_url) == happened(account)


def test_one_activity_whose_counts_are_odd_keeps_the_others_counts(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    sync_campaigns(client, crm)
    (odd,) = sql_rows("SELECT min(campaign_activity_id) AS id FROM ctct_engagement_stream")
    sql_rows("UPDATE ctct_engagement_stream SET reported_count = NULL")
    sql_rows("UPDATE ctct_campaign_activity SET stats_refreshed_at = NULL")
    refuse(sql_rows, "ctct_engagement_stream", f"campaign_activity_id = '{odd['id']}'")
    assert sync_campaigns(client, crm).set_aside == 1
    assert aside(sql_rows) == [("activity", odd["id"])]
    uncounted = sql_rows(
        "SELECT DISTINCT campaign_activity_id AS id FROM ctct_engagement_stream"
        " WHERE reported_count IS NULL"
    )
    assert uncounted == [odd]
    accept(sql_rows, "ctct_engagement_stream")
    assert sync_campaigns(client, crm).set_aside == 0


def test_a_campaign_that_cannot_be_read_is_asked_for_again(
    account: Running, client: Client, crm: Database, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_campaigns(client, crm)
    (odd,) = sql_rows("SELECT min(campaign_id) AS id FROM ctct_campaign")
    sql_rows("TRUNCATE ctct_campaign, ctct_sync_state CASCADE")
    with failing(monkeypatch, campaigns, "parse_campaign", odd["id"]):
        assert sync_campaigns(client, crm).set_aside == 1
    assert aside(sql_rows) == [("campaign", odd["id"])]
    assert sync_campaigns(client, crm).set_aside == 0
    (named,) = sql_rows("SELECT name FROM ctct_campaign WHERE campaign_id = %s", odd["id"])
    assert named["name"]


def test_a_list_that_is_set_aside_is_not_taken_for_gone(
    simulator: Running, client: Client, crm: Database, lists: list[str], sql_rows: Rows
) -> None:
    sync_lists(client, crm)
    refuse(sql_rows, "ctct_list", f"list_id = '{lists[1]}'")
    report = sync_lists(client, crm)
    assert (report.set_aside, report.active, report.deleted) == (1, 3, 0)
    assert aside(sql_rows) == [("list", lists[1])]
    accept(sql_rows, "ctct_list")
    assert sync_lists(client, crm).set_aside == 0


def test_a_list_that_cannot_be_read_keeps_no_other_from_the_mirror(
    client: Client, crm: Database, lists: list[str], sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with failing(monkeypatch, lists_job, "parse_list", lists[0]):
        report = sync_lists(client, crm)
    assert (report.set_aside, report.active, report.malformed) == (1, 2, 0)


@pytest.mark.parametrize("linked", ["before the events", "after the events"])
def test_an_interaction_that_the_crm_refuses_keeps_no_other_from_it(
    account: Running, client: Client, crm: Database, night: Night, add_crm_contact: Add,
    sql_rows: Rows, linked: str,
) -> None:  # fmt: skip
    def link() -> None:
        for n, each in enumerate(account.control.truth_contacts()):
            add_crm_contact(f"c{n}", each["email"])
        link_contacts(crm)

    sync_contacts(client, crm)
    if linked == "before the events":
        link()
        project_interactions(crm)
    night()
    if linked == "after the events":
        project_interactions(crm)
        link()
    wanted = sql_rows(
        "SELECT count(*) AS n FROM ctct_interaction AS event"
        " JOIN ctct_link AS link ON event.contact_id = link.constant_contact_id"
    )
    (odd,) = sql_rows(
        "SELECT occurred_at FROM ctct_engagement JOIN ctct_link"
        " ON ctct_engagement.contact_id = ctct_link.constant_contact_id"
        " GROUP BY occurred_at HAVING count(*) = 1 ORDER BY occurred_at LIMIT 1"
    )
    refuse(sql_rows, "crm_interaction", f"occurred_at = '{odd['occurred_at'].isoformat()}'")
    report = project_interactions(crm)
    assert report.set_aside == len(aside(sql_rows)) > 0
    made = "SELECT count(*) AS n FROM crm_interaction"
    assert sql_rows(made)[0]["n"] == wanted[0]["n"] - report.set_aside

    assert project_interactions(crm).set_aside == report.set_aside
    accept(sql_rows, "crm_interaction")
    assert project_interactions(crm).set_aside == 0
    assert sql_rows(made) == wanted
