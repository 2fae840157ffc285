"""An opt-out of ours that no objection is behind any more is taken back, whatever came between."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.store.seam import SeamFile
from constant_contact.sync import holds
from constant_contact.sync.contacts import sync_contacts
from constant_contact.sync.links import link_contacts
from constant_contact.sync.objections import lift
from constant_contact.sync.opt_ins import dismiss
from constant_contact.sync.opt_outs import OptOutsReport
from simulator.server import Running
from tests.support import contact_id, vendor_contact
from tests.sync.outbox import approve, changes, crowd

ANN, BOB = contact_id(1), contact_id(2)
OUT, OUT_BY_CONTACT = ("unsubscribed", "Account"), ("unsubscribed", "Contact")
NOT_FOUND: dict[str, Any] = {
    "status": 404,
    "body": [{"error_key": "contacts.api.not_found", "error_message": "x"}],
}
Add = Callable[..., None]
Flag = Callable[..., None]
Night = Callable[[], None]
Push = Callable[..., OptOutsReport]
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def night(client: Client, crm: Database) -> Night:
    def run() -> None:
        sync_contacts(client, crm, full=True)
        link_contacts(crm)

    return run


@pytest.fixture
def linked(simulator: Running, night: Night, push: Push, add_crm_contact: Add) -> Running:
    """Ann is c1 in the CRM, Bob is nobody there."""
    simulator.control.load(
        contacts=[vendor_contact(1, "ann@example.com"), vendor_contact(2, "bob@example.com")]
    )
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    night()
    push()
    return simulator


@pytest.fixture
def cleared_by_a_404(linked: Running, push: Push, set_do_not_email: Flag) -> Running:
    """The flag was set and cleared, and the opt-in met a 404 that passed."""
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    linked.control.add_fault("status", match={"path": f"/contacts/{ANN}"}, params=NOT_FOUND)
    assert push().unchanged == 1
    linked.control.clear_faults()
    return linked


def permission(simulator: Running, constant_contact_id: str = ANN) -> str:
    return str(simulator.control.truth_contact(constant_contact_id)["permission"])


def lift_all(crm: Database, sql_rows: Rows, source: str) -> None:
    """As a person does on the page Why?."""
    standing = "SELECT objection_id FROM ctct_objection WHERE source = %s AND lifted_at IS NULL"
    for row in sql_rows(standing, source):
        lift(crm, row["objection_id"], evidence="of somebody else", by="ann")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_an_opt_in_that_met_a_404_is_tried_again(
    cleared_by_a_404: Running, push: Push, calls: Callable[..., int]
) -> None:
    assert push(whole=False).resubscribed == 0
    report = push()
    assert (report.found, report.resubscribed) == (1, 1)
    assert permission(cleared_by_a_404) == "implicit"
    calls()
    assert push().found == 0
    assert calls() == 0


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_flag_that_is_cleared_while_its_contact_is_deleted_counts_when_that_is_restored(
    linked: Running, push: Push, night: Night, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    push()
    linked.control.delete_contact(ANN)
    night()
    set_do_not_email("c1", False)
    assert push().resubscribed == 0
    linked.control.restore_contact(ANN)
    night()
    assert push().resubscribed == 1
    assert permission(linked) == "implicit"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_cleared_flag_reaches_whom_the_set_one_reached_by_another_address(
    linked: Running, push: Push, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    push()
    sql_rows("UPDATE crm_contact SET preferred_email = 'bob@example.com'")
    push()
    assert (permission(linked, ANN), permission(linked, BOB)) == ("unsubscribed", "unsubscribed")
    set_do_not_email("c1", False)
    push()
    assert (permission(linked, ANN), permission(linked, BOB)) == ("implicit", "implicit")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_household_is_in_again_when_the_last_flag_of_it_is_cleared(
    linked: Running, push: Push, night: Night, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c2", "ann@example.com", do_not_email=False)
    night()
    for each, is_set in (("c1", True), ("c2", True), ("c1", False)):
        set_do_not_email(each, is_set)
        push()
        assert permission(linked) == "unsubscribed"
    set_do_not_email("c2", False)
    push()
    assert permission(linked) == "implicit"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_a_merged_contact_objected_to_ends_with_its_flag(
    linked: Running, push: Push, night: Night, add_crm_contact: Add, set_do_not_email: Flag,
    crm: Database,
) -> None:  # fmt: skip
    text: Any = "SELECT *, CASE contact_id WHEN 'c1' THEN 'c2' END AS merged_into FROM crm_contact"
    add_crm_contact("c2", "bob@example.com", do_not_email=False)
    night()
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))
    push()
    set_do_not_email("c1", True)
    push()
    assert (permission(linked, ANN), permission(linked, BOB)) == ("unsubscribed", "unsubscribed")
    set_do_not_email("c1", False)
    push()
    push()
    assert (permission(linked, ANN), permission(linked, BOB)) == ("implicit", "implicit")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_merge_ends_no_flag_of_the_contact_that_is_kept(
    linked: Running, push: Push, night: Night, add_crm_contact: Add, set_do_not_email: Flag,
    crm: Database, sql_rows: Rows,
) -> None:  # fmt: skip
    text: Any = "SELECT *, CASE contact_id WHEN 'c1' THEN 'c2' END AS merged_into FROM crm_contact"
    add_crm_contact("c2", "bob@example.com", do_not_email=False)
    night()
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    push()
    set_do_not_email("c1", False)
    push()
    push()
    assert (permission(linked, ANN), permission(linked, BOB)) == ("implicit", "unsubscribed")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_flag_that_was_cleared_before_the_merge_lifts_nothing_of_the_merged_contacts(
    linked: Running, push: Push, night: Night, add_crm_contact: Add, set_do_not_email: Flag,
    crm: Database,
) -> None:  # fmt: skip
    text: Any = "SELECT *, CASE contact_id WHEN 'c2' THEN 'c1' END AS merged_into FROM crm_contact"
    for is_set in (True, False):
        set_do_not_email("c1", is_set)
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))
    add_crm_contact("c2", "bob@example.com", do_not_email=True)
    night()
    push()
    assert (permission(linked, ANN), permission(linked, BOB)) == ("unsubscribed", "unsubscribed")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_contact_that_asked_was_purged_and_signed_up_again_by_itself_stays_in(
    linked: Running, push: Push, night: Night, set_do_not_email: Flag
) -> None:
    for is_set in (True, False):
        set_do_not_email("c1", is_set, by_contact=is_set)
        push()
    linked.control.purge_contact(ANN)
    night()
    linked.control.clock(advance_s=7200)
    linked.control.load(contacts=[vendor_contact(3, "ann@example.com")])
    linked.control.resubscribe(contact_id(3))
    night()
    push()
    assert permission(linked, contact_id(3)) == "explicit"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_contact_that_asked_and_was_only_put_back_by_the_account_is_out_again(
    linked: Running, push: Push, night: Night, set_do_not_email: Flag
) -> None:
    for is_set in (True, False):
        set_do_not_email("c1", is_set, by_contact=is_set)
        push()
    linked.control.purge_contact(ANN)
    night()
    linked.control.load(contacts=[vendor_contact(3, "ann@example.com")])
    night()
    push()
    assert permission(linked, contact_id(3)) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_a_deleted_contact_asked_stands_for_it_though_another_signed_up(
    linked: Running, push: Push, night: Night, set_do_not_email: Flag
) -> None:
    for is_set in (True, False):
        set_do_not_email("c1", is_set, by_contact=is_set)
        push()
    linked.control.update_contact(ANN, email="ann@example.org")
    linked.control.delete_contact(ANN)
    linked.control.clock(advance_s=7200)
    linked.control.load(contacts=[vendor_contact(3, "ann@example.com")])
    linked.control.resubscribe(contact_id(3))
    night()
    push()
    linked.control.restore_contact(ANN)
    night()
    push()
    assert permission(linked, ANN) == "unsubscribed"
    assert permission(linked, contact_id(3)) == "explicit"


@pytest.mark.parametrize("is_asked_first", [True, False])
def test_a_wish_that_a_person_lifts_holds_no_opt_out_of_ours(
    linked: Running, push: Push, night: Night, set_do_not_email: Flag, crm: Database,
    sql_rows: Rows, is_asked_first: bool,
) -> None:  # fmt: skip
    if not is_asked_first:
        set_do_not_email("c1", True)
        push()
    set_do_not_email("c1", True, by_contact=True)
    push()
    now = linked.control.truth_contact(ANN)
    assert (now["permission"], now["opt_out_source"]) == OUT_BY_CONTACT
    night()
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    lift_all(crm, sql_rows, "asked")
    assert push().resubscribed == 1
    assert permission(linked) == "implicit"
    assert {status for _, status, _ in changes(sql_rows)} == {"done"}


# Where it is in doubt, the contact stays out.


@pytest.mark.usefixtures("nobody_was_wronged")
@pytest.mark.parametrize("now", ["NULL", "TRUE"])
def test_without_a_flag_that_is_false_nothing_is_taken_back(
    cleared_by_a_404: Running, push: Push, sql_rows: Rows, now: str
) -> None:
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    sql_rows(f"UPDATE crm_contact SET do_not_email = {now}")
    push()
    assert permission(cleared_by_a_404) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_left_the_crm_takes_nothing_back(
    cleared_by_a_404: Running, push: Push, sql_rows: Rows
) -> None:
    sql_rows("DELETE FROM crm_contact")
    assert push().found == 0
    assert permission(cleared_by_a_404) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_flag_that_was_unknown_between_set_and_cleared_takes_nothing_back(
    linked: Running, push: Push, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    push()
    for value in ("NULL", "FALSE"):
        sql_rows(f"UPDATE crm_contact SET do_not_email = {value}")
        assert push().found == 0
    assert permission(linked) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_baseline_takes_nothing_back(
    cleared_by_a_404: Running, push: Push, crm: Database
) -> None:
    text: Any = f"{crm.seam.contacts.text} -- changed"
    crm.seam = replace(crm.seam, contacts=SeamFile(crm.seam.contacts.path, text))
    assert push().found == 0
    assert permission(cleared_by_a_404) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
@pytest.mark.parametrize("source", ["Account", "Contact"])
def test_an_opt_out_at_the_vendor_since_ours_is_not_taken_back(
    cleared_by_a_404: Running, push: Push, night: Night, source: str
) -> None:
    cleared_by_a_404.control.clock(advance_s=7200)
    cleared_by_a_404.control.unsubscribe(ANN, source=source)
    night()
    assert push().found == 0
    assert permission(cleared_by_a_404) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_an_opt_out_at_the_vendor_that_is_not_mirrored_yet_is_not_taken_back(
    cleared_by_a_404: Running, push: Push
) -> None:
    cleared_by_a_404.control.clock(advance_s=7200)
    cleared_by_a_404.control.unsubscribe(ANN, source="Contact")
    report = push()
    assert (report.found, report.held, report.resubscribed) == (1, 1, 0)
    assert push().found == 0


@pytest.mark.usefixtures("nobody_was_wronged")
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
    assert permission(cleared_by_a_404) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_who_could_not_be_mailed_before_is_held_once_with_the_reason(
    simulator: Running, push: Push, night: Night, add_crm_contact: Add, set_do_not_email: Flag,
    sql_rows: Rows, calls: Callable[..., int],
) -> None:  # fmt: skip
    address = {"address": "ann@example.com", "permission_to_send": "temp_hold"}
    simulator.control.load(contacts=[{"contact_id": ANN, "email_address": address}])
    add_crm_contact("c1", "ann@example.com", do_not_email=False)
    night()
    push()
    set_do_not_email("c1", True)
    push()
    simulator.control.delete_contact(ANN)
    night()
    set_do_not_email("c1", False)
    push()
    simulator.control.restore_contact(ANN)
    night()
    assert push().held == 1
    calls()
    assert (push().found, calls()) == (0, 0)
    (row,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'held'")
    assert "temp_hold" in row["detail"]


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_a_person_dismissed_stays_out(
    linked: Running, push: Push, set_do_not_email: Flag, crm: Database, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    (row,) = sql_rows("SELECT change_id FROM crm_opt_out_change WHERE status = 'held'")
    dismiss(crm, change_id=row["change_id"], by="joe")
    lift_all(crm, sql_rows, "asked")
    assert push().found == 0
    assert permission(linked) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_was_so_before_a_restore_stays_out(
    cleared_by_a_404: Running, push: Push, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_restore (settled_by) VALUES ('ann')")
    assert push().found == 0


@pytest.mark.usefixtures("nobody_was_wronged")
@pytest.mark.parametrize("lifts", ["a person", "the flag"])
def test_an_id_that_another_person_has_now_takes_nothing_back(
    linked: Running, push: Push, night: Night, add_crm_contact: Add, set_do_not_email: Flag,
    crm: Database, sql_rows: Rows, lifts: str,
) -> None:  # fmt: skip
    set_do_not_email("c1", True)
    push()
    sql_rows("DELETE FROM crm_contact")
    push()
    add_crm_contact("c1", "bob@example.com", do_not_email=False)
    night()
    push()
    if lifts == "a person":
        lift_all(crm, sql_rows, "flag")
    else:
        for is_set in (True, False):
            set_do_not_email("c1", is_set)
            push()
    push()
    assert sql_rows("SELECT FROM ctct_objection WHERE lifted_at IS NULL") == []
    assert permission(linked) == "unsubscribed"


def test_a_wish_that_is_lifted_lets_no_other_address_be_mailed(
    linked: Running, push: Push, set_do_not_email: Flag, crm: Database, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    sql_rows("UPDATE crm_contact SET preferred_email = 'new@example.com'")
    set_do_not_email("c1", False)
    push()
    lift_all(crm, sql_rows, "asked")
    assert push().found == 0
    assert permission(linked) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_constant_contact_refused_waits_for_a_person(
    cleared_by_a_404: Running, push: Push, calls: Callable[..., int]
) -> None:
    refused = NOT_FOUND | {"status": 400}
    cleared_by_a_404.control.add_fault("status", match={"method": "PUT"}, params=refused)
    assert push().failed == 1
    calls()
    assert (push().found, calls()) == (0, 0)


@pytest.mark.usefixtures("nobody_was_wronged")
@pytest.mark.parametrize("said", ["approved", "rejected"])
def test_a_mass_that_is_found_waits_for_a_person(
    simulator: Running, push: Push, night: Night, add_crm_contact: Add, crm: Database,
    sql_rows: Rows, said: Any,
) -> None:  # fmt: skip
    many = holds.BREAKER_OPT_INS + 1
    crowd(simulator, add_crm_contact, many)
    night()
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    push()
    for number in range(many):
        simulator.control.delete_contact(contact_id(number))
    night()
    approve(crm)
    sql_rows("UPDATE crm_contact SET do_not_email = FALSE")
    push()
    approve(crm)
    push()
    for number in range(many):
        simulator.control.restore_contact(contact_id(number))
    night()
    report = push()
    assert (report.found, report.held, report.resubscribed) == (many, many, 0)
    (hold,) = sql_rows("SELECT hold_id FROM ctct_hold WHERE answer IS NULL")
    holds.answer(crm, (hold["hold_id"], "opt_outs"), said, by="ann")
    report = push()
    assert (report.found, report.resubscribed) == (0, many if said == "approved" else 0)
    assert push().found == 0


@pytest.mark.usefixtures("nobody_was_wronged")
def test_after_an_upgrade_what_the_first_comparison_would_take_back_waits_for_a_person(
    cleared_by_a_404: Running, push: Push, crm: Database, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO ctct_cut_over (ended_at) VALUES (now())")
    report = push()
    assert (report.found, report.resubscribed) == (1, 0)
    assert push().found == 0
    assert permission(cleared_by_a_404) == "unsubscribed"
    assert approve(crm) == 1
    assert push().resubscribed == 1
