"""Tokens of another account than the one that was mirrored."""

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import SettingError
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import sync_contacts
from constant_contact.sync.lists import sync_lists
from simulator.server import Running
from tests.support import Rows, contact_id, vendor_contact
from tests.sync.memberships.requests import list_id


def load(simulator: Running, number: int) -> None:
    simulator.control.load(
        lists=[{"list_id": list_id(number), "name": "News"}],
        contacts=[vendor_contact(n, f"{n}@example.com") for n in range(10)],
    )


def test_lists_and_contacts_of_another_account_are_refused(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    load(simulator, 1)
    sync_lists(client, crm)
    sync_contacts(client, crm, full=True)
    sql_rows("UPDATE ctct_list SET list_id = %s", list_id(9))
    sql_rows("UPDATE ctct_contact SET contact_id = 'theirs ' || contact_id")
    with pytest.raises(SettingError, match=r"none of the lists .* another account"):
        sync_lists(client, crm)
    with pytest.raises(SettingError, match=r"none of the contacts .* another account"):
        sync_contacts(client, crm, full=True)
    assert sql_rows("SELECT list_id FROM ctct_list") == [{"list_id": list_id(9)}]
    (theirs,) = sql_rows(
        "SELECT count(*) AS n FROM ctct_contact"
        " WHERE contact_id LIKE 'theirs%' AND deleted_at IS NULL"
    )
    assert theirs == {"n": 10}


def test_a_page_of_new_contacts_is_of_the_same_account(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(600)])
    sync_contacts(client, crm, full=True)
    # Those of the first page are new since the mirror was made.
    last = [contact_id(n) for n in range(590, 600)]
    sql_rows("DELETE FROM ctct_contact WHERE contact_id <> ALL (%s)", last)
    assert sync_contacts(client, crm, full=True).living == 600


def test_no_list_at_all_is_not_believed(
    simulator: Running, client: Client, crm: Database, sql_rows: Rows
) -> None:
    load(simulator, 1)
    sync_lists(client, crm)
    simulator.control.add_fault(
        "status", match={"path": "/contact_lists"}, params={"status": 200, "body": {"lists": []}}
    )
    sync_lists(client, crm)
    assert sql_rows("SELECT deleted_at FROM ctct_list") == [{"deleted_at": None}]
