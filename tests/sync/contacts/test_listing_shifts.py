"""Rows that shift while the contacts of a night are read: the vendor's count tells."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import CONTACTS_PER_PAGE
from constant_contact.errors import ServerFault
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import refresh_contacts, sync_contacts
from simulator.server import Running
from tests.support import Calls, Rows, contact_id, vendor_contact


@pytest.fixture
def changed(simulator: Running, client: Client, crm: Database) -> Running:
    """A whole mirror, and 600 contacts that are newer."""
    simulator.control.load(contacts=[vendor_contact(0, "0@example.com")])
    sync_contacts(client, crm)
    people = [vendor_contact(n, f"{n}@example.com") for n in range(1, 601)]
    simulator.control.load(contacts=people)
    return simulator


@pytest.mark.parametrize("read", [sync_contacts, refresh_contacts])
def test_a_row_that_shifted_to_a_page_that_was_read_is_found(
    changed: Running, client: Client, crm: Database, sql_rows: Rows, read: Callable[..., Any]
) -> None:
    changed.control.add_fault(
        "shifted_page", match={"path": "/v3/contacts"}, after=1, params={"by": 1}
    )
    read(client, crm)
    assert sql_rows("SELECT count(*) AS n FROM ctct_contact") == [{"n": 601}]


def test_a_reading_that_has_all_is_not_repeated(
    changed: Running, client: Client, crm: Database, calls: Calls
) -> None:
    calls()
    sync_contacts(client, crm)
    # and one for those that opted out
    assert calls() == -(-600 // CONTACTS_PER_PAGE) + 1


def load_three_pages(simulator: Running, client: Client, crm: Database, read: str) -> None:
    """Give the vendor 1,100 contacts that the reading `read` has to bring."""
    if read != "first load":
        simulator.control.load(contacts=[vendor_contact(0, "0@example.com")])
        sync_contacts(client, crm)
    old = {} if read == "changes" else {"created_at": "2020-01-01T00:00:00Z"}
    people = [vendor_contact(n, f"{n}@example.com", **old) for n in range(1, 1101)]
    simulator.control.load(contacts=people)


readings = pytest.mark.parametrize(
    ("read", "joins"),
    [("first load", 0), ("first load", 1), ("full pass", 0), ("full pass", 3), ("changes", 0)],
)


@readings
def test_nobody_is_missed_when_a_contact_is_purged_between_two_pages(
    simulator: Running, make_client: Callable[..., Client], crm: Database, sql_rows: Rows,
    read: str, joins: int,
) -> None:  # fmt: skip
    client = make_client()
    load_three_pages(simulator, client, crm, read)
    pages, has_purged = client.pages, []

    def purging(*args: Any, **options: Any) -> Any:
        for page in pages(*args, **options):
            yield page
            if not has_purged:
                has_purged.append(simulator.control.purge_contact(contact_id(3)))
                newer = [vendor_contact(n, f"{n}@example.com") for n in range(2000, 2000 + joins)]
                simulator.control.load(contacts=newer)

    client.pages = purging  # type: ignore[method-assign]
    sync_contacts(client, crm, full=read == "full pass")
    mirrored = {row["contact_id"] for row in sql_rows("SELECT contact_id FROM ctct_contact")}
    there = {each["contact_id"] for each in simulator.control.truth_contacts()}
    assert there <= mirrored | {contact_id(n) for n in range(2000, 2000 + joins)}


@readings
def test_nobody_is_missed_when_a_contact_is_purged_before_a_killed_run_goes_on(
    simulator: Running, make_client: Callable[..., Client], crm: Database, sql_rows: Rows,
    read: str, joins: int,
) -> None:  # fmt: skip
    client = make_client()
    load_three_pages(simulator, client, crm, read)

    simulator.control.add_fault(
        "status", match={"path": "/v3/contacts"}, after=1, times=99, params={"status": 500}
    )
    with pytest.raises(ServerFault):
        sync_contacts(client, crm, full=read == "full pass")
    simulator.control.clear_faults()
    assert sql_rows("SELECT rows_read FROM ctct_sync_state WHERE noun = 'contacts'") == [
        {"rows_read": CONTACTS_PER_PAGE}
    ]
    simulator.control.purge_contact(contact_id(3))
    newer = [vendor_contact(n, f"{n}@example.com") for n in range(2000, 2000 + joins)]
    simulator.control.load(contacts=newer)

    sync_contacts(make_client(), crm)
    mirrored = {row["contact_id"] for row in sql_rows("SELECT contact_id FROM ctct_contact")}
    assert {each["contact_id"] for each in simulator.control.truth_contacts()} <= mirrored


def test_a_killed_run_that_goes_on_reads_nothing_again_where_nothing_has_shifted(
    simulator: Running, client: Client, crm: Database, calls: Calls
) -> None:
    old = {"created_at": "2020-01-01T00:00:00Z"}
    people = [vendor_contact(n, f"{n}@example.com", **old) for n in range(1, 1101)]
    simulator.control.load(contacts=people)
    simulator.control.add_fault(
        "status", match={"path": "/v3/contacts"}, after=1, times=99, params={"status": 500}
    )
    with pytest.raises(ServerFault):
        sync_contacts(client, crm)
    simulator.control.clear_faults()
    simulator.control.load(contacts=[vendor_contact(2000, "2000@example.com")])
    calls()
    sync_contacts(client, crm)
    # all pages but the one that was read
    assert calls() == -(-1101 // CONTACTS_PER_PAGE) - 1
