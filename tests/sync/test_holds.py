"""What the circuit breaker holds: shown to a person, and carried or kept by the answer."""

from collections.abc import Callable

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import ChangesRefused
from constant_contact.store import database
from constant_contact.store.database import Database
from constant_contact.sync import holds
from constant_contact.sync.consent.opt_outs import push_opt_outs
from simulator.server import Running
from tests.support import Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, approve

PEOPLE = 20


@pytest.fixture
def push(client: Client, crm: Database) -> Push:
    return lambda **options: push_opt_outs(client, crm, breaker_contacts=5, **options)


@pytest.fixture
def people(simulator: Running, add_crm_contact: Callable[..., None]) -> Running:
    numbers = range(1, PEOPLE + 1)
    simulator.control.load(
        contacts=[vendor_contact(number, f"p{number}@example.com") for number in numbers]
    )
    for number in numbers:
        add_crm_contact(
            f"c{number}", f"p{number}@example.com", constant_contact_id=contact_id(number)
        )
    return simulator


@pytest.fixture
def held(people: Running, push: Push, set_do_not_email: Flag) -> int:
    """Have the breaker hold eight contacts, for two reasons; returns the hold."""
    for number in range(1, 9):
        set_do_not_email(f"c{number}", True, "moved" if number < 7 else "")
    assert push().held == 8
    return 1


@pytest.mark.parametrize("noun", holds.NOUNS["opt_outs"])
def test_each_kind_of_stop_wakes_the_dag_that_asks(
    crm: Database, sql_rows: Rows, noun: str
) -> None:
    sql_rows("INSERT INTO ctct_hold (noun, detail) VALUES (%s, 'Too many.')", noun)
    with crm.transaction() as connection:
        woken = database.row(connection, "opt_outs/opt_outs_waiting")
        assert woken == {"waiting": "hold 1"}
        assert holds.unanswered(connection, *holds.NOUNS["opt_outs"]) == [1]


def unanswered(crm: Database) -> list[int]:
    with crm.transaction() as connection:
        return holds.unanswered(connection, "opt_outs")


def unsubscribed(simulator: Running) -> set[int]:
    return {
        number
        for number in range(1, PEOPLE + 1)
        if simulator.control.truth_contact(contact_id(number))["permission"] == "unsubscribed"
    }


def decisions(sql_rows: Rows) -> list[tuple[str, str | None, int]]:
    found = sql_rows(
        "SELECT decision, decided_by, count(*) AS n FROM ctct_consent GROUP BY 1, 2 ORDER BY 1"
    )
    return [(row["decision"], row["decided_by"], row["n"]) for row in found]


def test_a_person_is_shown_how_many_why_and_whom(held: int, crm: Database) -> None:
    hold = holds.ask_about(crm, held)
    assert hold is not None
    assert hold.contacts == 8
    assert "8 contacts would be unsubscribed within a day" in hold.detail
    assert [(group["reason"], group["contacts"]) for group in hold.groups] == [
        ("moved", 6),
        ("no reason given", 2),
    ]
    assert hold.groups[0]["sample"] == [f"c{number}" for number in range(1, 7)]
    assert hold.groups[0]["changed_by"] != "unknown"


def test_a_hold_that_is_asked_about_wakes_nothing_and_waits_for_its_answer(
    held: int, crm: Database
) -> None:
    holds.ask_about(crm, held)
    assert crm.row("opt_outs/opt_outs_waiting") == {"waiting": None}
    assert unanswered(crm) == [held]


def test_approving_carries_exactly_what_was_shown(
    held: int, crm: Database, push: Push, people: Running, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    holds.ask_about(crm, held)
    # A second stop, after the question was asked.
    for number in range(10, 18):
        set_do_not_email(f"c{number}", True)
    assert push().held == 8
    # And one of those that were shown has thought better of it.
    set_do_not_email("c3", False)
    assert holds.answer(crm, held, "approved", by="ann") == 8
    push()
    assert unsubscribed(people) == {1, 2, 4, 5, 6, 7, 8}
    assert unanswered(crm) == [held + 1]
    assert ("released", "ann", 8) in decisions(sql_rows)


def test_rejecting_leaves_them_held_and_keeps_who_said_so(
    held: int, crm: Database, push: Push, people: Running, sql_rows: Rows
) -> None:
    holds.ask_about(crm, held)
    assert holds.answer(crm, held, "rejected", by="ann") == 8
    assert push().unsubscribed == 0
    assert unsubscribed(people) == set()
    assert {row["status"] for row in sql_rows("SELECT status FROM crm_opt_out_change")} == {"held"}
    assert decisions(sql_rows) == [("held", None, 8), ("rejected", "ann", 8)]
    (row,) = sql_rows("SELECT answer, answered_by FROM ctct_hold")
    assert row == {"answer": "rejected", "answered_by": "ann"}


def test_an_answer_is_asked_for_no_more(held: int, crm: Database) -> None:
    assert approve(crm) == 8
    assert holds.ask_about(crm, held) is None
    assert unanswered(crm) == []


def test_an_ordinary_opt_out_goes_out_while_others_wait_for_an_answer(
    held: int, push: Push, people: Running, set_do_not_email: Flag
) -> None:
    set_do_not_email("c20", True)
    assert push().unsubscribed == 1
    assert unsubscribed(people) == {20}


def test_one_persons_wish_goes_out_among_a_mass_that_the_crm_made(
    people: Running, push: Push, set_do_not_email: Flag
) -> None:
    for number in range(1, 9):
        set_do_not_email(f"c{number}", True)
    set_do_not_email("c9", True, by_contact=True)
    report = push()
    assert (report.held, report.unsubscribed) == (8, 1)
    assert unsubscribed(people) == {9}


def test_a_mass_of_wishes_is_asked_about_by_itself(
    people: Running, push: Push, crm: Database, set_do_not_email: Flag
) -> None:
    for number in range(1, 9):
        set_do_not_email(f"c{number}", True, by_contact=True)
    assert push().held == 8
    hold = holds.ask_about(crm, 1)
    assert hold is not None
    assert "each at its own wish" in hold.detail


def test_what_a_person_said_no_to_is_not_released_with_another_hold(
    held: int, crm: Database, push: Push, people: Running, set_do_not_email: Flag
) -> None:
    holds.answer(crm, held, "rejected", by="ann")
    for number in range(10, 17):
        set_do_not_email(f"c{number}", True)
    push()
    assert approve(crm) == 7
    push()
    assert unsubscribed(people) == set(range(10, 17))


@pytest.mark.parametrize(("first", "second"), [("approved", "rejected"), ("rejected", "approved")])
def test_the_first_answer_counts(
    held: int, crm: Database, first: holds.Answer, second: holds.Answer
) -> None:
    holds.answer(crm, held, first, by="ann")
    with pytest.raises(ChangesRefused, match=f"was {first}"):
        holds.answer(crm, held, second, by="joe")
    holds.answer(crm, held, first, by="ann")


def test_every_decision_is_kept_with_the_call_it_rests_on(
    people: Running, push: Push, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, "moved", by_contact=True)
    push()
    about, kept = sql_rows("SELECT * FROM ctct_consent ORDER BY consent_id")
    assert (about["decision"], about["call_method"]) == ("unsubscribing", None), "before the PUT"
    assert (kept["decision"], kept["call_method"], kept["call_status"]) == (
        "unsubscribed", "PUT", 200,
    )  # fmt: skip
    assert kept["request_id"]
    assert kept["constant_contact_id"] == contact_id(1)
    assert (kept["permission_before"], kept["permission_after"]) == ("implicit", "unsubscribed")
    assert kept["opt_out_source_after"] == "Contact"
    refusal = {"status": 400, "body": [{"error_key": "k", "error_message": "no"}]}
    people.control.add_fault("status", match={"method": "PUT"}, params=refusal, times=99)
    set_do_not_email("c2", True)
    push()
    (failed,) = sql_rows("SELECT * FROM ctct_consent WHERE decision = 'failed'")
    assert (failed["call_method"], failed["call_status"]) == ("PUT", 400)
    (change,) = sql_rows(
        "SELECT reason, changed_by, changed_at FROM crm_opt_out_change WHERE reason = 'moved'"
    )
    assert change["reason"] == "moved"
    assert change["changed_by"]
