"""What the vendor counts of the contacts that are read, where it counts something else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import ServerFault
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import refresh_contacts, sync_contacts
from simulator.server import Running
from tests.gateway import gateway
from tests.support import Calls, Rows, vendor_contact

ways = pytest.mark.parametrize("way", ["page", "account"])


def load(simulator: Running, numbers: range, updated_at: str) -> None:
    at = {"created_at": "2020-01-01T00:00:00Z", "updated_at": updated_at}
    people = [vendor_contact(n, f"{n}@example.com", **at) for n in numbers]
    simulator.control.load(contacts=people)


@pytest.fixture
def account(simulator: Running) -> Running:
    """1,201 contacts, the last of which changed long after the others."""
    load(simulator, range(1, 1201), "2020-01-01T00:00:00Z")
    load(simulator, range(1201, 1202), "2021-01-01T00:00:00Z")
    return simulator


@ways
def test_a_count_of_something_else_makes_no_night_read_all_again(
    account: Running, client: Client, crm: Database, calls: Calls, way: str
) -> None:
    account.control.settings(contacts_count=way)
    assert sync_contacts(client, crm).full_pass
    assert calls() == 3
    nights = [(sync_contacts(client, crm).full_pass, calls()) for _ in range(3)]
    assert nights == [(False, 2)] * 3


@ways
def test_a_count_of_something_else_makes_no_look_before_a_write_longer_each_time(
    account: Running, client: Client, crm: Database, calls: Calls, sql_rows: Rows, way: str
) -> None:
    """600 contacts change in a night; each look before a write is about the seconds since."""
    sync_contacts(client, crm)
    account.control.settings(contacts_count=way)
    load(account, range(2000, 2600), "2022-01-01T00:00:00Z")
    load(account, range(3000, 3001), "2022-02-01T00:00:00Z")
    refresh_contacts(client, crm)
    calls()
    looks = [(refresh_contacts(client, crm), calls()) for _ in range(3)]
    assert looks == [(None, 2)] * 3
    assert sql_rows("SELECT count(*) AS n FROM ctct_contact") == [{"n": 1802}]


def test_a_killed_run_holds_no_count_of_a_page_against_what_it_reads(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    account.control.settings(contacts_count="page")
    account.control.add_fault(
        "status", match={"path": "/v3/contacts"}, after=1, times=99, params={"status": 500}
    )
    with pytest.raises(ServerFault):
        sync_contacts(client, crm)
    account.control.clear_faults()
    calls()
    sync_contacts(client, crm)
    assert calls() == 2


def test_what_a_count_means_is_told(
    account: Running, client: Client, crm: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    account.control.settings(contacts_count="page")
    sync_contacts(client, crm)
    told = [each for each in caplog.messages if each.startswith("contacts_count is 500")]
    assert len(told) == 1


@pytest.mark.parametrize("by", [str, float])
def test_a_row_that_shifted_is_found_where_the_count_is_a_text(
    account: Running, client: Client, crm: Database, sql_rows: Rows, by: Callable[[int], Any]
) -> None:
    sync_contacts(client, crm)
    load(account, range(2000, 2600), "2022-01-01T00:00:00Z")

    def as_text(_path: str, body: dict[str, Any]) -> None:
        if "contacts_count" in body:
            body["contacts_count"] = by(body["contacts_count"])

    with gateway(account.url) as between:
        between.change = as_text
        client._settings = replace(client._settings, base_url=between.url)
        account.control.add_fault(
            "shifted_page", match={"path": "/v3/contacts"}, after=1, params={"by": 1}
        )
        sync_contacts(client, crm)
    assert sql_rows("SELECT count(*) AS n FROM ctct_contact") == [{"n": 1801}]


def test_changes_that_are_hidden_in_two_readings_are_read_again_the_next_time(
    account: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    """A gateway takes the link of the first page away: 100 of 600 are missing, each time."""
    sync_contacts(client, crm)
    load(account, range(2000, 2500), "2022-01-01T00:00:00Z")
    load(account, range(2500, 2600), "2021-06-01T00:00:00Z")

    def unlink(_path: str, body: dict[str, Any]) -> None:
        body.pop("_links", None)

    settings = client._settings
    with gateway(account.url) as between:
        between.change = unlink
        client._settings = replace(settings, base_url=between.url)
        sync_contacts(client, crm)
    client._settings = settings
    assert sql_rows("SELECT count(*) AS n FROM ctct_contact") == [{"n": 1700}]
    sync_contacts(client, crm)
    assert sql_rows("SELECT count(*) AS n FROM ctct_contact") == [{"n": 1801}]
