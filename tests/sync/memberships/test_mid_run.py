"""Contacts and requests that come while a run of memberships is at work."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.sync.memberships import push
from simulator.server import Running
from tests.support import Add, Rows, contact_id, vendor_contact

ANN = contact_id(1)
Night = Callable[[], None]


def test_a_removal_that_comes_with_its_contact_in_the_midst_of_a_run_is_made(
    simulator: Running, full_night: Night, add_crm_contact: Add, push_lists: Any, want: Any,
    sql_rows: Rows, lists: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The CRM adds a contact that the vendor has, and takes it off a list, in one transaction."""
    simulator.control.load(
        contacts=[
            vendor_contact(1, "ann@example.com", list_memberships=[lists[0]]),
            vendor_contact(2, "bob@example.com"),
        ]
    )
    add_crm_contact("c2", "bob@example.com")
    full_night()
    want("c2")
    real = push.refresh_contacts

    def refresh(*args: Any) -> None:
        real(*args)
        if not sql_rows("SELECT contact_id FROM crm_contact WHERE contact_id = 'c1'"):
            add_crm_contact("c1", "ann@example.com")
            want("c1", action="remove")

    monkeypatch.setattr(push, "refresh_contacts", refresh)
    push_lists()
    full_night()
    push_lists()
    (asked,) = sql_rows("SELECT status, detail FROM crm_list_membership WHERE contact_id = 'c1'")
    assert simulator.control.truth_contact(ANN)["lists"] == [], asked
