"""Where it is in doubt whether an opt-out of ours is taken back, the contact stays out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.sync import holds
from constant_contact.sync.consent.opt_ins import dismiss
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id
from tests.sync.consent.outbox import NOT_FOUND, Push, approve, crowd, lift_all, permission

ANN = contact_id(1)
Night = Callable[[], None]

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.mark.parametrize("now", ["NULL", "TRUE"])
def test_without_a_flag_that_is_false_nothing_is_taken_back(
    cleared_by_a_404: Running, push: Push, sql_rows: Rows, now: str
) -> None:
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    sql_rows(f"UPDATE crm_contact SET do_not_email = {now}")
    push()
    assert permission(cleared_by_a_404, ANN) == "unsubscribed"


def test_what_left_the_crm_takes_nothing_back(
    cleared_by_a_404: Running, push: Push, sql_rows: Rows
) -> None:
    sql_rows("DELETE FROM crm_contact")
    assert push().found == 0
    assert permission(cleared_by_a_404, ANN) == "unsubscribed"


def test_a_flag_that_was_unknown_between_set_and_cleared_takes_nothing_back(
    ann_and_bob: Running, push: Push, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    push()
    for value in ("NULL", "FALSE"):
        sql_rows(f"UPDATE crm_contact SET do_not_email = {value}")
        assert push().found == 0
    assert permission(ann_and_bob, ANN) == "unsubscribed"


def test_a_baseline_takes_nothing_back(
    cleared_by_a_404: Running, push: Push, crm: Database
) -> None:
    text: Any = f"{crm.seam.contacts.text} -- changed"
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))
    assert push().found == 0
    assert permission(cleared_by_a_404, ANN) == "unsubscribed"


@pytest.mark.parametrize("source", ["Account", "Contact"])
def test_an_opt_out_at_the_vendor_since_ours_is_not_taken_back(
    cleared_by_a_404: Running, push: Push, full_night: Night, source: str
) -> None:
    cleared_by_a_404.control.clock(advance_s=7200)
    cleared_by_a_404.control.unsubscribe(ANN, source=source)
    full_night()
    assert push().found == 0
    assert permission(cleared_by_a_404, ANN) == "unsubscribed"


def test_an_opt_out_at_the_vendor_that_is_not_mirrored_yet_is_not_taken_back(
    cleared_by_a_404: Running, push: Push
) -> None:
    cleared_by_a_404.control.clock(advance_s=7200)
    cleared_by_a_404.control.unsubscribe(ANN, source="Contact")
    report = push()
    assert (report.found, report.held, report.resubscribed) == (1, 1, 0)
    assert push().found == 0


def test_a_flag_that_is_set_while_the_opt_in_is_under_way_stops_it(
    cleared_by_a_404: Running, client: Client, push: Push, sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    get = client.get

    def get_and_set(*given: Any, **named: Any) -> Any:
        answer = get(*given, **named)
        sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
        return answer

    monkeypatch.setattr(client, "get", get_and_set)
    assert push().resubscribed == 0
    assert permission(cleared_by_a_404, ANN) == "unsubscribed"


def test_who_could_not_be_mailed_before_is_held_once_with_the_reason(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, set_do_not_email: Flag,
    sql_rows: Rows, calls: Callable[..., int],
) -> None:  # fmt: skip
    address = {"address": "ann@example.com", "permission_to_send": "temp_hold"}
    simulator.control.load(contacts=[{"contact_id": ANN, "email_address": address}])
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    full_night()
    push()
    set_do_not_email("c1", True)
    push()
    simulator.control.delete_contact(ANN)
    full_night()
    set_do_not_email("c1", False)
    push()
    simulator.control.restore_contact(ANN)
    full_night()
    assert push().held == 1
    calls()
    assert (push().found, calls()) == (0, 0)
    (row,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'held'")
    assert "temp_hold" in row["detail"]


def test_what_a_person_dismissed_stays_out(
    ann_and_bob: Running, push: Push, set_do_not_email: Flag, crm: Database, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    (row,) = sql_rows("SELECT change_id FROM crm_opt_out_change WHERE status = 'held'")
    dismiss(crm, change_id=row["change_id"], by="joe")
    lift_all(crm, sql_rows, "asked")
    assert push().found == 0
    assert permission(ann_and_bob, ANN) == "unsubscribed"


def test_what_was_so_before_a_restore_stays_out(
    cleared_by_a_404: Running, push: Push, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_restore (settled_by) VALUES ('ann')")
    assert push().found == 0


@pytest.mark.parametrize("lifts", ["a person", "the flag"])
def test_an_id_that_another_person_has_now_takes_nothing_back(
    ann_and_bob: Running, push: Push, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, crm: Database, sql_rows: Rows, lifts: str,
) -> None:  # fmt: skip
    set_do_not_email("c1", True)
    push()
    sql_rows("DELETE FROM crm_contact")
    push()
    add_crm_contact("c1", "bob@example.com", do_not_email=False)
    full_night()
    push()
    if lifts == "a person":
        lift_all(crm, sql_rows, "flag")
    else:
        for is_set in (True, False):
            set_do_not_email("c1", is_set)
            push()
    push()
    assert sql_rows("SELECT FROM ctct_objection WHERE lifted_at IS NULL") == []
    assert permission(ann_and_bob, ANN) == "unsubscribed"


def test_a_wish_that_is_lifted_lets_no_other_address_be_mailed(
    ann_and_bob: Running, push: Push, set_do_not_email: Flag, crm: Database, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    sql_rows("UPDATE crm_contact SET preferred_email = 'new@example.com'")
    set_do_not_email("c1", False)
    push()
    lift_all(crm, sql_rows, "asked")
    assert push().found == 0
    assert permission(ann_and_bob, ANN) == "unsubscribed"


def test_what_constant_contact_refused_waits_for_a_person(
    cleared_by_a_404: Running, push: Push, calls: Callable[..., int]
) -> None:
    refused = NOT_FOUND | {"status": 400}
    cleared_by_a_404.control.add_fault("status", match={"method": "PUT"}, params=refused)
    assert push().failed == 1
    calls()
    assert (push().found, calls()) == (0, 0)


@pytest.mark.parametrize("said", ["approved", "rejected"])
def test_a_mass_that_is_found_waits_for_a_person(
    simulator: Running, push: Push, full_night: Night, add_crm_contact: Add, crm: Database,
    sql_rows: Rows, said: Any,
) -> None:  # fmt: skip
    many = holds.BREAKER_OPT_INS + 1
    crowd(simulator, add_crm_contact, many)
    full_night()
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    push()
    for number in range(many):
        simulator.control.delete_contact(contact_id(number))
    full_night()
    approve(crm)
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE")
    push()
    approve(crm)
    push()
    for number in range(many):
        simulator.control.restore_contact(contact_id(number))
    full_night()
    report = push()
    assert (report.found, report.held, report.resubscribed) == (many, many, 0)
    (hold,) = sql_rows("SELECT hold_id FROM ctct_hold WHERE answer IS NULL")
    holds.answer(crm, hold["hold_id"], said, by="ann")
    report = push()
    assert (report.found, report.resubscribed) == (0, many if said == "approved" else 0)
    assert push().found == 0


def test_after_an_upgrade_what_the_first_comparison_would_take_back_waits_for_a_person(
    cleared_by_a_404: Running, push: Push, crm: Database, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_cut_over (ended_at) VALUES (now())")
    report = push()
    assert (report.found, report.resubscribed) == (1, 0)
    assert push().found == 0
    assert permission(cleared_by_a_404, ANN) == "unsubscribed"
    assert approve(crm) == 1
    assert push().resubscribed == 1
