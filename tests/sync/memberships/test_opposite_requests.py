"""What one CRM contact asked for, and another of the same link or address the opposite, later."""

from collections.abc import Callable
from typing import Any

from constant_contact.store.database import Database
from simulator.server import Running
from tests.support import Add, Rows, Want, contact_id, vendor_contact
from tests.sync.consent.outbox import approve
from tests.sync.memberships.requests import Push, a_night_later, answers, on_lists

FLAGGED = [{"error_key": "contacts.api.validation.error", "error_message": "Flagged."}]


def test_an_old_refused_add_is_not_retried_over_a_newer_removal_of_the_same_household(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    full_night: Callable[[], None],
) -> None:  # fmt: skip
    """Ann's add is refused; Bob, of the same address, is taken off; the night retries Ann's."""
    add_crm_contact("ann", "family@example.com")
    want("ann", 1)
    simulator.control.add_fault(
        "status", match={"method": "POST", "path": "/contacts$"},
        params={"status": 400, "body": FLAGGED},
    )  # fmt: skip
    assert push_lists().rejected == 1
    add_crm_contact("bob", "Family@example.com")
    want("bob", 1, "remove")
    push_lists()
    assert answers(sql_rows)["bob", 1][0] == "done"
    a_night_later(sql_rows)
    push_lists()
    assert on_lists(simulator).get("family@example.com", set()) == set()


def test_an_old_failed_add_is_not_retried_over_a_newer_removal_of_the_same_link(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    lists: list[str],
) -> None:  # fmt: skip
    """Both are linked; jobs that add fail for an hour; the removal goes through."""
    simulator.control.load(contacts=[vendor_contact(1, "family@example.com")])
    add_crm_contact("ann", "family@example.com", constant_contact_id=contact_id(1))
    add_crm_contact("bob", "family@example.com", constant_contact_id=contact_id(1))
    want("ann", 1)
    simulator.control.settings(bulk_outcomes=["failed"] * 3)
    for _ in range(3):
        push_lists()
    assert answers(sql_rows)["ann", 1][0] == "failed"
    simulator.control.settings(bulk_outcomes=[])
    # A colleague puts the family on the list at Constant Contact; then they ask to be taken off.
    simulator.control.update_contact(contact_id(1), list_memberships=lists[:1])
    want("bob", 1, "remove")
    push_lists()
    assert on_lists(simulator)["family@example.com"] == set()
    a_night_later(sql_rows)
    push_lists()
    assert on_lists(simulator)["family@example.com"] == set()


def test_a_released_removal_does_not_undo_a_newer_add_of_the_same_link(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    lists: list[str], crm: Database,
) -> None:  # fmt: skip
    numbers = range(1, 11)
    simulator.control.load(
        contacts=[
            vendor_contact(n, f"p{n}@example.com", list_memberships=lists[:1]) for n in numbers
        ]
    )
    for n in numbers:
        add_crm_contact(f"c{n}", f"p{n}@example.com", constant_contact_id=contact_id(n))
        want(f"c{n}", 1, "remove")
    strict: dict[str, Any] = {"breaker_contacts": 5, "breaker_share": 0}
    assert push_lists(**strict).held == 10
    add_crm_contact("partner", "p1@example.com")
    want("partner", 1)
    push_lists(**strict)
    assert answers(sql_rows)["partner", 1][0] == "done"
    approve(crm)
    push_lists(**strict)
    assert 1 in on_lists(simulator)["p1@example.com"]
