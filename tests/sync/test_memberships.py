"""Who is put on which list, who is not, and what the CRM reads about it."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.sync.memberships import MembershipsReport
from simulator.server import Running
from tests.support import contact_id, vendor_contact
from tests.sync.memberships import Add, Rows, answers, list_id, made, on_lists, statuses

Push = Callable[..., MembershipsReport]
Want = Callable[..., None]
Calls = Callable[..., int]


@pytest.fixture(autouse=True)
def nobody_was_wronged(simulator: Running) -> Any:
    """After every test: nobody opted in, brought back or renamed."""
    yield
    truth = simulator.control.truth()
    assert truth["policy_violations"] == []
    assert truth["revivals"] == []
    assert truth["names_overwritten"] == 0


@pytest.fixture
def ann(simulator: Running, lists: list[str], add_crm_contact: Add) -> str:
    """A CRM contact that exists at the vendor, on the second list; not linked yet."""
    simulator.control.load(
        contacts=[
            vendor_contact(1, "ann@example.com", first_name="Ann", list_memberships=[lists[1]])
        ]
    )
    add_crm_contact("c1", "Ann@Example.com ", first_name="Anna", last_name="Lee")
    return contact_id(1)


def test_nothing_pending_costs_no_call(push_lists: Push, calls: Calls, sql_rows: Rows) -> None:
    assert push_lists() == MembershipsReport()
    assert calls() == 0


def test_a_contact_that_exists_is_linked_and_added_and_keeps_its_name(
    simulator: Running, push_lists: Push, ann: str, want: Want, sql_rows: Rows
) -> None:
    want("c1", 1)
    assert push_lists().added == 1
    assert on_lists(simulator) == {"ann@example.com": {1, 2}}
    assert simulator.control.truth_contact(ann)["first_name"] == "Ann"
    assert answers(sql_rows) == {("c1", 1): ("done", "Put on the list.")}
    (crm,) = sql_rows("SELECT constant_contact_id FROM crm_contact")
    assert crm["constant_contact_id"] == ann


def test_a_removal_reaches_constant_contact(
    simulator: Running, push_lists: Push, ann: str, want: Want, sql_rows: Rows
) -> None:
    want("c1", 2, "remove")
    assert push_lists().removed == 1
    assert on_lists(simulator) == {"ann@example.com": set()}
    assert answers(sql_rows) == {("c1", 2): ("done", "Taken off the list.")}


def test_who_is_on_the_list_already_costs_no_write(
    simulator: Running, push_lists: Push, ann: str, want: Want, sql_rows: Rows
) -> None:
    want("c1", 2)
    assert push_lists().unchanged == 1
    assert made(simulator, "POST", "/activities") == 0
    assert answers(sql_rows) == {("c1", 2): ("done", "Was on the list already.")}


def test_a_new_contact_is_created_linked_and_put_on_its_lists_at_once(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    add_crm_contact("c1", " New@Example.COM", first_name="Nea", last_name="Low")
    want("c1", 1)
    want("c1", 3)
    report = push_lists()
    assert (report.added, report.created) == (2, 1)
    (there,) = simulator.control.truth_contacts()
    assert (there["email"], there["first_name"], there["last_name"]) == (
        "new@example.com", "Nea", "Low",
    )  # fmt: skip
    assert (there["permission"], there["create_source"]) == ("implicit", "Account")
    assert there["extras"] == {}
    assert on_lists(simulator) == {"new@example.com": {1, 3}}
    (crm,) = sql_rows("SELECT constant_contact_id FROM crm_contact")
    assert crm["constant_contact_id"] == there["contact_id"]
    assert made(simulator, "POST", "import") == 0


def crowd(add_crm_contact: Add, want: Want, size: int, lists: tuple[int, ...] = (1,)) -> None:
    for n in range(size):
        add_crm_contact(f"c{n}", f"{n}@example.com", first_name=f"First{n}", last_name="Last")
        for number in lists:
            want(f"c{n}", number)


def test_many_new_contacts_are_imported_linked_and_learnt_in_one_run(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    calls: Calls,
) -> None:  # fmt: skip
    crowd(add_crm_contact, want, 30, (1, 2))
    push_lists()
    calls()
    report = push_lists()
    assert (report.added, report.created) == (0, 0)
    assert calls() == 0
    assert on_lists(simulator) == {f"{n}@example.com": {1, 2} for n in range(30)}
    assert set(statuses(sql_rows)) == {"done"}
    (unlinked,) = sql_rows(
        "SELECT count(*) AS n FROM crm_contact WHERE constant_contact_id IS NULL"
    )
    assert unlinked["n"] == 0
    assert made(simulator, "POST", "import") == 1
    assert made(simulator, "POST", "/v3/contacts") == 0
