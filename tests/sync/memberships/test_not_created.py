"""A contact that the vendor refused to create, and the next contact with its address."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Rows, Want, contact_id, vendor_contact
from tests.sync.memberships.requests import Push, a_night_later, on_lists

FLAGGED = [{"error_key": "contacts.api.validation.error", "error_message": "Flagged."}]
OFFICE, OWN = "office@firm.example", "ann@home.example"


def linked(sql_rows: Rows) -> dict[str, str | None]:
    rows = sql_rows("SELECT contact_id, constant_contact_id FROM ctct_link ORDER BY contact_id")
    return {row["contact_id"]: row["constant_contact_id"] for row in rows}


@pytest.fixture
def ann_was_refused(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> Running:
    """Ann was to be created with the office's address; the vendor refused."""
    add_crm_contact("ann", OFFICE)
    want("ann", 1)
    simulator.control.add_fault(
        "status", match={"method": "POST", "path": "/contacts$"},
        params={"status": 400, "body": FLAGGED},
    )  # fmt: skip
    assert push_lists().rejected == 1
    assert not list(simulator.control.truth_contacts())
    return simulator


def test_who_was_not_created_is_not_linked_to_who_has_the_address_later(
    ann_was_refused: Running, client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    """Ann leaves the office; Bob has its address now, in the CRM and at Constant Contact."""
    sql_rows("UPDATE crm_contact SET preferred_email = %s WHERE contact_id = 'ann'", OWN)
    add_crm_contact("bob", OFFICE)
    ann_was_refused.control.load(contacts=[vendor_contact(7, OFFICE)])
    sync_contacts(client, crm)
    link_contacts(crm)
    assert linked(sql_rows) == {"ann": None, "bob": contact_id(7)}


def test_who_was_not_created_is_linked_to_who_has_its_own_address(
    ann_was_refused: Running, client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows
) -> None:
    """Likewise, and Ann herself is at Constant Contact with the address that the CRM has."""
    sql_rows("UPDATE crm_contact SET preferred_email = %s WHERE contact_id = 'ann'", OWN)
    add_crm_contact("bob", OFFICE)
    ann_was_refused.control.load(contacts=[vendor_contact(7, OFFICE), vendor_contact(8, OWN)])
    sync_contacts(client, crm)
    link_contacts(crm)
    assert linked(sql_rows) == {"ann": contact_id(8), "bob": contact_id(7)}


def test_the_list_of_who_was_not_created_is_not_given_to_who_has_the_address_later(
    ann_was_refused: Running, client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows,
    push_lists: Push,
) -> None:  # fmt: skip
    """And her request, which is tried again, puts Bob on the list, who never asked for it."""
    sql_rows("UPDATE crm_contact SET preferred_email = %s WHERE contact_id = 'ann'", OWN)
    add_crm_contact("bob", OFFICE)
    ann_was_refused.control.load(contacts=[vendor_contact(7, OFFICE)])
    sync_contacts(client, crm)
    link_contacts(crm)
    a_night_later(sql_rows)
    push_lists()
    assert on_lists(ann_was_refused) == {OFFICE: set(), OWN: {1}}


def test_the_no_of_who_was_not_created_does_not_unsubscribe_who_has_the_address_later(
    ann_was_refused: Running, client: Client, crm: Database, add_crm_contact: Add, sql_rows: Rows,
    set_do_not_email: Callable[..., None], push: Callable[..., Any],
) -> None:  # fmt: skip
    sql_rows("UPDATE crm_contact SET preferred_email = %s WHERE contact_id = 'ann'", OWN)
    add_crm_contact("bob", OFFICE)
    ann_was_refused.control.load(contacts=[vendor_contact(7, OFFICE)])
    sync_contacts(client, crm)
    link_contacts(crm)
    set_do_not_email("ann", True)
    push()
    assert ann_was_refused.control.truth_contact(contact_id(7))["permission"] != "unsubscribed"
