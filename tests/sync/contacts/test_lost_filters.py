"""A page link that a gateway on the way took the filter from: what was asked for is read later."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.gateway import Gateway, gateway, href_of
from tests.support import Rows, contact_id, vendor_contact

UNFILTERED = "/v3/contacts?status=all&limit=200&include=list_memberships"


@pytest.fixture
def between(simulator: Running, client: Client, crm: Database) -> Iterator[Gateway]:
    """A gateway whose second page of changes is one of all contacts; a whole mirror of 200."""
    old = [
        vendor_contact(n, f"{n}@example.com", updated_at=f"2020-0{1 + (n == 1)}-01T00:00:00Z")
        for n in range(1, 201)
    ]
    simulator.control.load(contacts=old)
    sync_contacts(client, crm)

    def lose_the_filter(path: str, body: dict[str, Any]) -> None:
        if path == "/v3/contacts?cursor=x":
            body.pop("_links", None)
        elif href_of(body):
            running.aliases["/v3/contacts?cursor=x"] = UNFILTERED
            body["_links"] = {"next": {"href": "/v3/contacts?cursor=x"}}

    with gateway(simulator.url) as running:
        running.change = lose_the_filter
        yield running


def person(number: int) -> dict[str, Any]:
    """Of 600 with one change each; what is on the second page changed first."""
    changed_at = f"2020-0{5 if number < 800 else 4}-01T00:00:00Z"
    return vendor_contact(number, f"{number}@example.com", updated_at=changed_at)


def unsubscribed(number: int) -> dict[str, Any]:
    """Likewise, of those whose change no reading but that of opt-outs shows."""
    changed = person(number)
    email = {
        "address": changed["email"],
        "permission_to_send": "unsubscribed",
        "opt_out_source": "Contact",
        "opt_out_date": changed["updated_at"],
    }
    return changed | {"email_address": email, "updated_at": "2019-01-01T00:00:00Z"}


@pytest.mark.parametrize("change", [person, unsubscribed])
def test_changes_that_a_lost_filter_hid_are_asked_for_again(
    between: Gateway, simulator: Running, client: Client, crm: Database, sql_rows: Rows,
    caplog: pytest.LogCaptureFixture, change: Callable[[int], dict[str, Any]],
) -> None:  # fmt: skip
    simulator.control.load(contacts=[change(number) for number in range(300, 900)])
    straight, client._settings = client._settings, replace(client._settings, base_url=between.url)
    assert not sync_contacts(client, crm).full_pass
    assert "contacts were seen than the 60" in caplog.text
    client._settings = straight
    assert not sync_contacts(client, crm).full_pass
    last = sql_rows("SELECT contact_id FROM ctct_contact ORDER BY contact_id DESC LIMIT 600")
    assert {row["contact_id"] for row in last} == {contact_id(n) for n in range(300, 900)}
