"""Who is put on which list, who is not, and what the CRM reads about it."""

from typing import Any

import pytest

from constant_contact.sync.memberships.push import MembershipsReport
from simulator.server import Running
from tests.support import Add, Calls, Rows, Want, contact_id, vendor_contact
from tests.sync.memberships.requests import Push, answers, list_id, made, on_lists, statuses

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


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


UNSUBSCRIBED = "Has unsubscribed; Constant Contact does not put unsubscribed contacts on lists."
SAYS_NO = "Do Not Email is set in the CRM for this address."
NO_LIST = "Constant Contact has no such list."
GONE = "This contact was deleted at Constant Contact; it can be brought back there."


@pytest.mark.parametrize(
    ("email", "columns", "request_", "says"),
    [
        (None, {}, (1, "add"), "Has no email address."),
        ("nonsense", {}, (1, "add"), "The email address is malformed."),
        (f"{'x' * 70}@example.com", {}, (1, "add"), "The email address is longer than the 80"),
        ("new@example.com", {}, (77, "add"), NO_LIST),
        ("new@example.com", {}, (77, "remove"), NO_LIST),
        ("new@example.com", {}, (3, "add"), "The list was deleted at Constant Contact."),
        ("out@example.com", {}, (1, "add"), UNSUBSCRIBED),
        ("on@example.com", {"do_not_email": True}, (1, "add"), SAYS_NO),
        ("gone@example.com", {}, (1, "add"), GONE),
        ("gone@EXAMPLE.com ", {"do_not_email": True}, (1, "add"), GONE),
    ],
)
def test_what_cannot_be_met_is_rejected_with_a_sentence_and_costs_no_write(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    email: str | None, columns: dict[str, Any], request_: tuple[int, str], says: str,
) -> None:  # fmt: skip
    emails = ["out@example.com", "on@example.com", "gone@example.com"]
    simulator.control.load(contacts=[vendor_contact(n, each) for n, each in enumerate(emails)])
    simulator.control.unsubscribe(contact_id(0))
    simulator.control.delete_contact(contact_id(2))
    simulator.control.delete_list(list_id(3))
    add_crm_contact("c1", email, **columns)
    want("c1", *request_)
    assert push_lists().rejected == 1
    ((status, detail),) = answers(sql_rows).values()
    assert status == "rejected"
    assert detail is not None
    assert detail.startswith(says)
    assert {call["method"] for call in simulator.control.calls()[1:]} == {"GET"}


def test_a_request_of_someone_who_left_the_crm_is_rejected(
    push_lists: Push, want: Want, sql_rows: Rows
) -> None:
    want("nobody")
    push_lists()
    assert answers(sql_rows) == {
        ("nobody", 1): ("rejected", "The contact is no longer in the CRM.")
    }


def test_a_removal_of_someone_constant_contact_does_not_have_is_done(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "new@example.com")
    want("c1", 1, "remove")
    assert push_lists().unchanged == 1
    assert statuses(sql_rows) == ["done"]
    assert on_lists(simulator) == {}


def test_a_new_contact_who_says_no_is_created_as_unsubscribed(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    add_crm_contact("c1", "no@example.com", do_not_email=True)
    want("c1", 1)
    want("c1", 2)
    assert push_lists().created == 1
    (there,) = simulator.control.truth_contacts()
    assert (there["permission"], there["opt_out_source"]) == ("unsubscribed", "Account")
    assert {status for status, _ in answers(sql_rows).values()} == {"done"}
    assert "as unsubscribed" in str(answers(sql_rows)["c1", 1][1])


@pytest.mark.parametrize("size", [2, 30])
def test_one_who_says_no_speaks_for_everyone_with_the_address(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, size: int
) -> None:
    crowd(add_crm_contact, want, size)
    add_crm_contact("other", " 1@EXAMPLE.com", do_not_email=True)
    push_lists()
    permissions = {c["email"]: c["permission"] for c in simulator.control.truth_contacts()}
    assert permissions.pop("1@example.com") == "unsubscribed"
    assert set(permissions.values()) == {"implicit"}
    assert len(permissions) == size - 1


@pytest.mark.parametrize("size", [2, 30])
def test_two_crm_contacts_with_one_address_are_one_new_contact_and_both_linked(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows,
    size: int,
) -> None:  # fmt: skip
    crowd(add_crm_contact, want, size)
    add_crm_contact("twin", "1@example.com", first_name="Twin")
    want("twin", 1)
    push_lists()
    assert len(on_lists(simulator)) == size
    assert set(statuses(sql_rows)) == {"done"}
    links = sql_rows(
        "SELECT constant_contact_id FROM crm_contact WHERE preferred_email = '1@example.com'"
    )
    assert len({row["constant_contact_id"] for row in links}) == 1
    assert links[0]["constant_contact_id"]


def test_an_address_of_51_characters_is_created_by_itself_among_many(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    crowd(add_crm_contact, want, 30)
    long = f"{'x' * 39}@example.com"
    assert len(long) == 51
    add_crm_contact("long", long)
    want("long", 2)
    push_lists()
    assert on_lists(simulator)[long] == {2}
    assert set(statuses(sql_rows)) == {"done"}
    assert made(simulator, "POST", "/v3/contacts") == 1


def test_names_are_cut_to_what_the_vendor_takes(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want
) -> None:
    crowd(add_crm_contact, want, 10)
    add_crm_contact("long", "long@example.com", first_name="é" * 60, last_name=" ")
    want("long")
    assert push_lists().created == 11
    names = {c["email"]: c["first_name"] for c in simulator.control.truth_contacts()}
    assert names["long@example.com"] == "é" * 50


def test_a_contact_is_on_50_lists_at_most(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    more = [list_id(number) for number in range(4, 60)]
    simulator.control.load(lists=[{"list_id": each, "name": each} for each in more])
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com", list_memberships=more[:49])]
    )
    add_crm_contact("c1", "ann@example.com")
    add_crm_contact("c2", "ANN@example.com")
    add_crm_contact("c3", "new@example.com")
    want("c1", 1)
    want("c2", 1)
    want("c2", 2)
    for number in range(1, 52):
        want("c3", number)
    push_lists()
    found = answers(sql_rows)
    assert [found["c1", 1][0], found["c2", 1][0], found["c2", 2][0]] == ["done", "done", "rejected"]
    assert str(found["c2", 2][1]).startswith("Would be on more lists than the 50")
    assert [found["c3", n][0] for n in (1, 50, 51)] == ["done", "done", "rejected"]
    assert {len(lists) for lists in on_lists(simulator).values()} == {50}
    # A removal makes room.
    want("c2", 2)
    want("c1", 1, "remove")
    sql_rows("UPDATE crm_contact SET preferred_email = NULL WHERE contact_id = 'c2'")
    push_lists()
    assert [answers(sql_rows)[key][0] for key in (("c1", 1), ("c2", 2))] == ["done", "done"]
    assert {1, 2} & on_lists(simulator)["ann@example.com"] == {2}


def test_lists_that_were_deleted_leave_room(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    more = [list_id(number) for number in range(4, 54)]
    simulator.control.load(lists=[{"list_id": each, "name": each} for each in more])
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com", list_memberships=more)])
    add_crm_contact("c1", "ann@example.com")
    want("c1", 1)
    push_lists()
    assert statuses(sql_rows) == ["rejected"]
    sql_rows("UPDATE ctct_list SET deleted_at = now() WHERE list_id = %s", more[0])
    simulator.control.update_contact(contact_id(1), list_memberships=more[1:])
    want("c1", 1)
    push_lists()
    assert statuses(sql_rows) == ["done"]


def test_the_later_of_two_opposite_requests_for_one_address_counts(
    simulator: Running, push_lists: Push, ann: str, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    add_crm_contact("c2", "ann@example.com")
    want("c1", 2, "add")
    want("c2", 2, "remove")
    push_lists()
    assert on_lists(simulator) == {"ann@example.com": set()}
    assert answers(sql_rows)["c1", 2][0] == "rejected"
    assert "asked for the opposite later" in str(answers(sql_rows)["c1", 2][1])


def test_an_address_that_appeared_a_moment_ago_is_linked_and_not_renamed(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    crowd(add_crm_contact, want, 3)
    push_lists()
    for n in range(20, 40):
        add_crm_contact(f"c{n}", f"{n}@example.com", first_name="Other", last_name="Name")
        want(f"c{n}")
    simulator.control.load(contacts=[vendor_contact(25, "25@EXAMPLE.com", first_name="Own")])
    push_lists()
    assert simulator.control.truth_contact(contact_id(25))["first_name"] == "Own"
    assert set(statuses(sql_rows)) == {"done"}
    assert on_lists(simulator)["25@EXAMPLE.com"] == {1}


def test_a_list_that_was_deleted_since_the_night_rejects_its_requests_and_no_others(
    simulator: Running, push_lists: Push, add_crm_contact: Add, want: Want, sql_rows: Rows
) -> None:
    crowd(add_crm_contact, want, 2)
    push_lists()
    simulator.control.delete_list(list_id(3))
    add_crm_contact("new", "new@example.com")
    for number in (2, 3):
        want("c0", number)
        want("new", number)
    want("c1", 3, "remove")
    push_lists()
    found = answers(sql_rows)
    assert {found[who, 3] for who in ("c0", "c1", "new")} == {
        ("rejected", "The list was deleted at Constant Contact.")
    }
    assert {found[who, 2][0] for who in ("c0", "new")} == {"done"}
    assert on_lists(simulator)["new@example.com"] == {2}


def everything(sql_rows: Rows) -> dict[str, list[Any]]:
    """What the CRM and we have stored, but for the calls and what mirrors Constant Contact."""
    tables = (
        "crm_contact", "crm_list_membership", "crm_opt_out_change", "ctct_link", "ctct_hold",
        "ctct_objection", "ctct_consent", "ctct_bulk_activity", "ctct_bulk_activity_row",
    )  # fmt: skip
    return {table: sql_rows(f"SELECT * FROM {table} ORDER BY {table}::text") for table in tables}


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(
    simulator: Running, push_lists: Push, ann: str, add_crm_contact: Add, want: Want,
    sql_rows: Rows, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("INFO", "constant_contact.memberships")
    for n in range(30):
        add_crm_contact(f"n{n}", f"{n}@example.com")
        want(f"n{n}", 1)
        want(f"n{n}", 3)
    add_crm_contact("household", "1@example.com")
    add_crm_contact("nobody", None)
    add_crm_contact("flagged", "no@example.com", do_not_email=True)
    for contact, number, action in (
        ("c1", 1, "add"), ("c1", 2, "remove"), ("household", 1, "add"), ("nobody", 1, "add"),
        ("flagged", 1, "add"), ("n1", 9, "add"),
    ):  # fmt: skip
        want(contact, number, action)
    there, stored = list(simulator.control.truth_contacts()), everything(sql_rows)
    foretold = push_lists(dry_run=True)
    assert everything(sql_rows) == stored
    assert list(simulator.control.truth_contacts()) == there
    made_calls = [each for each in simulator.control.calls() if each["path"].startswith("/v3/")]
    assert {call["method"] for call in made_calls} == {"GET"}
    assert "1 requests: rejected: Has no email address." in caplog.text
    done = push_lists()
    assert foretold == done


def test_a_dry_run_tells_what_the_circuit_breaker_would_hold(
    simulator: Running, push_lists: Push, ann: str, want: Want, sql_rows: Rows
) -> None:
    want("c1", 2, "remove")
    foretold = push_lists(dry_run=True, breaker_contacts=0, breaker_share=0)
    assert (foretold.held, foretold.removed) == (1, 0)
    assert sql_rows("SELECT * FROM ctct_hold") == []
    assert statuses(sql_rows) == ["pending"]


def test_a_dry_run_of_nothing_costs_no_call(push_lists: Push, calls: Calls) -> None:
    assert push_lists(dry_run=True) == MembershipsReport()
    assert calls() == 0
