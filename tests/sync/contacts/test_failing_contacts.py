"""A contact that the vendor fails at, or what it leaves out or counts wrongly: all else is read."""

from dataclasses import replace
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import refresh_contacts, sync_contacts
from simulator.server import Running
from tests.gateway import gateway
from tests.support import Calls, Rows, contact_id, vendor_contact

ODD = [(500, [{"error_key": "e", "error_message": "Oops"}]), (404, ""), (404, "<html></html>")]


@pytest.mark.parametrize(("status", "body"), ODD)
def test_a_contact_that_the_vendor_fails_at_keeps_no_other_from_being_read(
    account: Running, client: Client, crm: Database, sql_rows: Rows, status: int, body: Any
) -> None:
    sync_contacts(client, crm)
    gone = next(c["contact_id"] for c in account.control.truth_contacts() if not c["deleted"])
    account.control.purge_contact(gone)
    odd = {"status": status, "body": body}
    account.control.add_fault("status", match={"path": f"/contacts/{gone}"}, times=99, params=odd)
    account.control.load(contacts=[vendor_contact(1, "new@example.com")])
    report = sync_contacts(client, crm, full=True)
    assert (report.purged, report.unseen, report.set_aside) == (0, 1, 1)
    # What failed is no proof that it is gone.
    living = "SELECT count(*) AS n FROM ctct_contact WHERE contact_id = %s AND deleted_at IS NULL"
    assert sql_rows(living, gone) == sql_rows(living, contact_id(1)) == [{"n": 1}]
    account.control.clear_calls()
    assert sync_contacts(client, crm).set_aside == 1
    # What changed, and who opted out.
    paths = [call["path"] for call in account.control.calls()]
    assert paths.count("/v3/contacts") == 2
    account.control.clear_faults()
    report = sync_contacts(client, crm)
    assert (report.purged, report.set_aside) == (1, 0)
    assert sql_rows(living, gone) == [{"n": 0}]


def test_where_the_vendor_fails_at_many_contacts_few_are_asked_for_in_a_night(
    account: Running, client: Client, crm: Database
) -> None:
    sync_contacts(client, crm)
    there = [c["contact_id"] for c in account.control.truth_contacts() if not c["deleted"]]
    for each in there[:25]:
        account.control.purge_contact(each)
    account.control.add_fault("status", match={"path": "/contacts/"}, times=999)
    account.control.clear_calls()
    assert sync_contacts(client, crm, full=True).set_aside == 3
    asked = {call["path"] for call in account.control.calls() if "/contacts/" in call["path"]}
    assert len(asked) == 3
    # The next time begins with others.
    assert sync_contacts(client, crm, full=True).set_aside == 6
    account.control.clear_faults()
    assert sync_contacts(client, crm).purged == 6
    assert sync_contacts(client, crm, full=True).purged == 19


def test_a_contact_that_shows_no_lists_beside_others_that_do_is_on_none(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    news = "00000000-0000-4000-8001-000000000001"
    simulator.control.load(lists=[{"list_id": news, "name": "News"}])
    people = [vendor_contact(n, f"{n}@example.com", list_memberships=[news]) for n in (1, 2)]
    simulator.control.load(contacts=people)
    sync_contacts(client, crm)
    simulator.control.update_contact(contact_id(1), list_memberships=[])

    def leave_out_empty(_path: str, body: dict[str, Any]) -> None:
        for each in body["contacts"]:
            if not each["list_memberships"]:
                del each["list_memberships"]

    with gateway(simulator.url) as between:
        client._settings = replace(client._settings, base_url=between.url)
        between.change = leave_out_empty
        sync_contacts(client, crm, full=True)
    lists = sql_rows("SELECT list_ids FROM ctct_contact ORDER BY contact_id")
    assert lists == [{"list_ids": []}, {"list_ids": [news]}]


def test_a_count_that_is_never_seen_costs_a_membership_run_no_whole_reading(
    account: Running, client: Client, crm: Database, calls: Calls
) -> None:
    def count_one_more(_path: str, body: dict[str, Any]) -> None:
        if "contacts_count" in body:
            body["contacts_count"] += 1

    with gateway(account.url) as between:
        client._settings = replace(client._settings, base_url=between.url)
        between.change = count_one_more
        sync_contacts(client, crm)
        calls()
        refresh_contacts(client, crm)
    # Each reading of changes is one page, read again for what is missing.
    assert calls() <= 4
