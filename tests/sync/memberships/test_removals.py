"""Who is to be taken off a list: at once, one by one, with the contact or right after an import."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.server import Running
from tests.support import Add, Rows, Want, contact_id, vendor_contact
from tests.sync.memberships.requests import Push, answers, list_id, on_lists


def test_a_removal_of_thousands_in_small_steps_is_held_as_one_at_once_is(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    lists: list[str],
) -> None:  # fmt: skip
    """An import gone wrong writes row by row; each commit wakes the DAG."""
    numbers = range(1, 31)
    simulator.control.load(
        contacts=[
            vendor_contact(n, f"p{n}@example.com", list_memberships=lists[:1]) for n in numbers
        ]
    )
    for n in numbers:
        add_crm_contact(f"c{n}", f"p{n}@example.com", constant_contact_id=contact_id(n))
    strict: dict[str, Any] = {"breaker_contacts": 5, "breaker_share": 0}
    for first in range(1, 31, 5):
        for n in range(first, first + 5):
            want(f"c{n}", 1, "remove")
        push_lists(**strict)
    left = sum(1 in each for each in on_lists(simulator).values())
    assert left >= 25


@pytest.mark.parametrize("seen_between", [False, True])
def test_who_is_taken_off_a_list_and_out_of_the_crm_at_once_is_off_the_list(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    lists: list[str], full_night: Callable[[], None], seen_between: bool,
) -> None:  # fmt: skip
    """What a CRM does when somebody leaves: off all lists, then the contact is deleted."""
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com", list_memberships=lists[:1])]
    )
    add_crm_contact("c1", "ann@example.com")
    full_night()
    with sql_rows.transaction() as connection:
        connection.execute(
            "INSERT INTO crm_list_membership (contact_id, list_id, action)"
            " VALUES ('c1', %s, 'remove')", [list_id(1)],
        )  # fmt: skip
        connection.execute("DELETE FROM crm_contact WHERE contact_id = 'c1'")
    if seen_between:
        full_night()
    push_lists()
    assert on_lists(simulator)["ann@example.com"] == set(), answers(sql_rows)


def test_what_the_loser_of_a_merge_was_to_be_taken_off_the_winner_is_taken_off(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    lists: list[str], full_night: Callable[[], None],
) -> None:  # fmt: skip
    """Two records of one person with one address; one is to be taken off, then they are merged."""
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com", list_memberships=lists[:1])]
    )
    add_crm_contact("c1", "ann@example.com")
    add_crm_contact("c2", "ann@example.com")
    full_night()
    want("c2", 1, "remove")
    sql_rows("DELETE FROM crm_contact WHERE contact_id = 'c2'")
    push_lists()
    assert on_lists(simulator)["ann@example.com"] == set(), answers(sql_rows)


def test_a_removal_right_after_an_import_is_not_lost_while_the_vendors_listing_lags(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    """The import is done by its counters; GET /contacts shows its contacts a minute later."""
    empty_page = {"status": 200, "body": {"contacts": [], "contacts_count": 0}}
    simulator.control.load(contacts=[vendor_contact(1, "old@example.com")])
    add_crm_contact("c0", "old@example.com")
    want("c0", 1)
    push_lists()
    simulator.control.add_fault(
        "status", match={"method": "GET", "path": "/v3/contacts"}, params=empty_page, times=999
    )
    for n in range(1, 11):
        add_crm_contact(f"n{n}", f"new{n}@example.com")
        want(f"n{n}", 1)
    assert push_lists().added == 10
    want("n1", 1, "remove")
    push_lists()
    said = answers(sql_rows)["n1", 1]
    simulator.control.clear_faults()
    for _ in range(2):
        push_lists()
    assert 1 not in on_lists(simulator)["new1@example.com"], said
