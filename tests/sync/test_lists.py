"""The lists job."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.api.vendor import LISTS_PER_PAGE
from constant_contact.store.database import Database
from constant_contact.sync.lists import sync_lists
from constant_contact.sync.memberships.push import MembershipsReport
from simulator.server import Running
from tests.gateway import gateway
from tests.support import Rows


def load(simulator: Running, count: int) -> list[str]:
    lists = [{"name": f"List {number:04}"} for number in range(count)]
    return list(simulator.control.load(lists=lists)["lists"])


def test_a_whole_page_of_lists_costs_one_call(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows, calls: Callable[..., int]
) -> None:
    load(simulator, LISTS_PER_PAGE)
    report = sync_lists(client, crm)
    assert (report.read, report.active, report.deleted) == (LISTS_PER_PAGE, LISTS_PER_PAGE, 0)
    assert calls() == 1
    assert len(sql_rows("SELECT * FROM crm_list")) == LISTS_PER_PAGE


@pytest.mark.parametrize("reply", [{}, {"lists": None, "_links": {}}])
def test_a_reply_without_the_collection_deletes_no_list(
    simulator: Running, client: Client, crm: Database, reply: dict[str, Any]
) -> None:
    load(simulator, 3)
    sync_lists(client, crm)
    simulator.control.add_fault(
        "status", match={"path": "contact_lists"}, params={"status": 200, "body": reply}
    )
    assert sync_lists(client, crm).active == 3


def test_a_later_page_without_the_collection_deletes_no_list(
    simulator: Running, client: Client, crm: Database
) -> None:
    load(simulator, 1500)
    sync_lists(client, crm)
    simulator.control.add_fault(
        "status",
        match={"path": "contact_lists"},
        after=1,
        params={"status": 200, "body": {"lists": None}},
    )
    assert sync_lists(client, crm).active == 1500


def test_an_empty_page_is_not_believed_and_rejects_no_request(
    simulator: Running, client: Client, crm: Database, ann: str, lists: list[str],
    push_lists: Callable[..., MembershipsReport], want: Callable[..., None],
) -> None:  # fmt: skip
    sync_lists(client, crm)
    want("c1", 1)
    empty = {"status": 200, "body": {"lists": [], "_links": {}}}
    simulator.control.add_fault("status", match={"path": "contact_lists"}, params=empty)
    report = sync_lists(client, crm)
    assert (report.read, report.active) == (0, len(lists))
    assert push_lists().added == 1
    assert simulator.control.truth_contact(ann)["lists"] == lists[:1]


def test_membership_counts_are_mirrored(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    (list_id,) = load(simulator, 1)
    simulator.control.load(
        contacts=[{"email": f"c{n}@example.com", "list_memberships": [list_id]} for n in range(3)]
    )
    sync_lists(client, crm)
    assert sql_rows("SELECT name, membership_count FROM crm_list") == [
        {"name": "List 0000", "membership_count": 3}
    ]


def test_a_deleted_list_leaves_the_dropdown_and_stays_in_the_mirror(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    first, _ = load(simulator, 2)
    sync_lists(client, crm)
    simulator.control.delete_list(first)
    assert sync_lists(client, crm).newly_deleted == 1
    assert sql_rows("SELECT name FROM crm_list") == [{"name": "List 0001"}]
    assert len(sql_rows("SELECT * FROM ctct_list")) == 2


def test_an_account_without_lists_is_no_error(client: Client, crm: Database) -> None:
    assert str(sync_lists(client, crm)) == "nothing to do"


def test_a_listing_whose_link_dies_starts_again(
    simulator: Running, client: Client, crm: Database
) -> None:
    load(simulator, 1500)
    simulator.control.add_fault("dead_cursor", match={"path": "contact_lists"})
    assert sync_lists(client, crm).active == 1500


def test_lists_that_are_counted_and_did_not_come_are_not_gone(
    simulator: Running, client: Client, crm: Database, caplog: pytest.LogCaptureFixture
) -> None:
    load(simulator, 600)
    sync_lists(client, crm)
    with gateway(simulator.url) as between:
        client._settings = replace(client._settings, base_url=between.url)
        between.change = lambda _path, body: body.update(_links=None)
        report = sync_lists(client, crm)
    assert (report.read, report.active, report.newly_deleted) == (LISTS_PER_PAGE, 600, 0)
    assert f"GET /contact_lists: {LISTS_PER_PAGE} lists came on its pages" in caplog.text
