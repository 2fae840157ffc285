"""Ordinary things in an unlucky order: no objection is lost, and no opt-out of ours sticks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import Conflict, ConstantContactError, WriteUncertain
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.sync import holds
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id
from tests.sync.consent.outbox import Push, approve, crowd

# More contacts than may leave the CRM at once.
MANY = 120
REFUSED: dict[str, Any] = {"body": [{"error_key": "contacts.api.x", "error_message": "x"}]}

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.fixture
def _column(crm: Database, sql_rows: Rows) -> None:
    """A CRM without a trigger, whose column tells that a contact asked."""
    sql_rows("ALTER TABLE crm_contact ADD COLUMN asked boolean")
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    text: Any = "SELECT *, asked AS requested_by_contact FROM crm_contact"
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))


def shown(simulator: Running, number: int) -> tuple[str, str | None]:
    now = simulator.control.truth_contact(contact_id(number))
    return now["permission"], now["opt_out_source"]


@pytest.mark.parametrize("then", ["gone", "FALSE", "do_not_email"])
def test_a_mass_absence_takes_no_objection_back(
    simulator: Running, push: Push, crm: Database, full_night: Callable[[], None],
    add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows, then: str,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, MANY)
    full_night()
    set_do_not_email("c5", True)
    push()
    set_do_not_email("c7", True)
    sql_rows("CREATE TABLE kept AS SELECT * FROM crm_contact")
    sql_rows("DELETE FROM crm_contact")
    push()
    if then == "gone":
        assert approve(crm) == MANY
    else:
        sql_rows(
            "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email)"
            f" SELECT contact_id, preferred_email, {then} FROM kept"
        )
    push()
    full_night()
    push()
    assert {shown(simulator, number)[0] for number in (5, 7)} == {"unsubscribed"}


@pytest.mark.usefixtures("_column")
@pytest.mark.parametrize("said", ["approved", "rejected"])
def test_a_wish_that_a_column_tells_waits_for_nobody_elses_mass(
    simulator: Running, push: Push, crm: Database, full_night: Callable[[], None],
    add_crm_contact: Add, sql_rows: Rows, said: Literal["approved", "rejected"],
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 10)
    full_night()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert push(breaker_contacts=5).held == 10
    holds.answer(crm, 1, said, by="ann")
    sql_rows("UPDATE crm_contact SET asked = TRUE WHERE contact_id = 'c3'")
    push(breaker_contacts=5, may_carry_backlog=lambda: False)
    assert shown(simulator, 3) == ("unsubscribed", "Contact")


def test_a_flag_that_is_set_again_after_a_rejected_mass_goes_out(
    simulator: Running, push: Push, crm: Database, full_night: Callable[[], None],
    add_crm_contact: Add, sql_rows: Rows,
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 10)
    full_night()
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert push(breaker_contacts=5).held == 10
    holds.answer(crm, 1, "rejected", by="ann")
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE")
    push(breaker_contacts=5)
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE WHERE contact_id = 'c3'")
    assert push(breaker_contacts=5).unsubscribed == 1
    assert shown(simulator, 3) == ("unsubscribed", "Account")


@pytest.mark.usefixtures("_column")
def test_a_contact_that_asks_a_second_time_by_a_column_is_heard(
    simulator: Running, push: Push, full_night: Callable[[], None], ann: str, sql_rows: Rows
) -> None:
    full_night()
    for is_set in (True, False):
        sql_rows("UPDATE crm_contact SET do_not_email = %s, asked = %s", is_set, is_set)
        push()
    simulator.control.resubscribe(ann)
    full_night()
    push()
    for is_set in (True, False):
        sql_rows("UPDATE crm_contact SET do_not_email = %s, asked = %s", is_set, is_set)
        push()
    assert shown(simulator, 1) == ("unsubscribed", "Contact")


def test_an_opt_out_soon_after_ours_and_an_opt_in_between_is_the_contacts_own(
    simulator: Running, push: Push, full_night: Callable[[], None], ann: str, set_do_not_email: Flag
) -> None:
    full_night()
    for is_set in (True, False):
        set_do_not_email("c1", is_set, by_contact=is_set)
        push()
    simulator.control.resubscribe(ann)
    full_night()
    push()
    simulator.control.unsubscribe(ann, source="Contact")
    full_night()
    for is_set in (True, False):
        set_do_not_email("c1", is_set)
        push()
    assert shown(simulator, 1)[0] == "unsubscribed"


@pytest.mark.parametrize("fault", ["reset_before", "html_503"])
def test_a_wish_that_did_not_arrive_is_sent_again(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, fault: str
) -> None:
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", True, by_contact=True)
    simulator.control.add_fault(fault, match={"method": "PUT"})
    push()
    assert shown(simulator, 1) == ("unsubscribed", "Contact")


def test_a_refusal_keeps_no_later_objection_back(
    simulator: Running, push: Push, full_night: Callable[[], None], ann: str,
    set_do_not_email: Flag, sql_rows: Rows,
) -> None:  # fmt: skip
    full_night()
    refused = REFUSED | {"status": 400}
    simulator.control.add_fault("status", match={"method": "PUT"}, times=99, params=refused)
    set_do_not_email("c1", True)
    assert push().failed == 1
    simulator.control.clear_faults()
    set_do_not_email("c1", False)
    push()
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    assert push().unsubscribed == 1


def test_a_conflict_answers_for_its_own_put_only(
    simulator: Running, client: Client, push: Push, ann: str, set_do_not_email: Flag,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The first PUT has no answer and is under way still; the second meets it."""
    put, tries = client.put, iter((1, 2))

    def late(path: str, body: Any) -> Any:
        if next(tries, 0) == 1:
            raise WriteUncertain("PUT was answered by a gateway")
        put(path, body)
        raise Conflict("PUT answered 409", status=409)

    set_do_not_email("c1", True)
    with monkeypatch.context() as patched:
        patched.setattr(client, "put", late)
        assert push(workers=1).unsubscribed == 1
    set_do_not_email("c1", False)
    assert push().resubscribed == 1


@pytest.mark.parametrize("status", [400, 404])
def test_a_look_that_is_refused_answers_for_no_put(
    simulator: Running, push: Push, full_night: Callable[[], None], ann: str,
    set_do_not_email: Flag, status: int,
) -> None:  # fmt: skip
    simulator.control.add_fault("reset_after", match={"method": "PUT"})
    simulator.control.add_fault(
        "status", match={"method": "GET", "path": "/contacts/"}, after=1, times=1,
        params=REFUSED | {"status": status},
    )  # fmt: skip
    set_do_not_email("c1", True)
    push(workers=1)
    full_night()
    push()
    set_do_not_email("c1", False)
    assert push().resubscribed == 1


@pytest.mark.parametrize("body", [{}, {"ok": True}])
def test_an_opt_in_that_shows_no_effect_is_sent_again(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, body: dict[str, Any]
) -> None:
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    nothing = {"status": 200, "body": body}
    simulator.control.add_fault("status", match={"method": "PUT"}, params=nothing)
    assert push().resubscribed == 1
    assert shown(simulator, 1)[0] == "implicit"


def test_edit_conflicts_cost_no_name(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    simulator.control.add_fault("edit_conflict", match={"method": "PUT"}, times=7)
    set_do_not_email("c1", True, "by letter")
    with pytest.raises(ConstantContactError):
        push()
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["last_name"] == "Lee"


def test_an_opt_out_that_is_listed_without_its_source_is_ours_still(
    simulator: Running, push: Push, full_night: Callable[[], None], ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    push()
    simulator.control.add_fault(
        "nulls", match={"path": "/contacts"}, times=9, params={"fields": ["opt_out_source"]}
    )
    full_night()
    simulator.control.clear_faults()
    full_night()
    set_do_not_email("c1", False)
    assert push().resubscribed == 1
