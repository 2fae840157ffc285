"""An opt-out of ours that no objection is behind any more is taken back, whatever came between."""

from collections.abc import Callable

import pytest

from constant_contact.store.database import Database
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, changes, lift_all, merge, permission

ANN, BOB = contact_id(1), contact_id(2)
OUT_BY_CONTACT = ("unsubscribed", "Contact")
Night = Callable[[], None]


def permissions(ann_and_bob: Running) -> tuple[str, str]:
    return permission(ann_and_bob, ANN), permission(ann_and_bob, BOB)


@pytest.mark.usefixtures("nobody_was_wronged")
def test_an_opt_in_that_met_a_404_is_tried_again(
    cleared_by_a_404: Running, push: Push, calls: Callable[..., int]
) -> None:
    assert push(whole=False).resubscribed == 0
    report = push()
    assert (report.found, report.resubscribed) == (1, 1)
    assert permission(cleared_by_a_404, ANN) == "implicit"
    calls()
    assert push().found == 0
    assert calls() == 0


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_flag_that_is_cleared_while_its_contact_is_deleted_counts_when_that_is_restored(
    ann_and_bob: Running, push: Push, full_night: Night, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    push()
    ann_and_bob.control.delete_contact(ANN)
    full_night()
    set_do_not_email("c1", False)
    assert push().resubscribed == 0
    ann_and_bob.control.restore_contact(ANN)
    full_night()
    assert push().resubscribed == 1
    assert permission(ann_and_bob, ANN) == "implicit"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_cleared_flag_reaches_whom_the_set_one_reached_by_another_address(
    ann_and_bob: Running, push: Push, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    push()
    sql_rows("UPDATE crm_contact SET preferred_email = 'bob@example.com'")
    push()
    assert permissions(ann_and_bob) == ("unsubscribed", "unsubscribed")
    set_do_not_email("c1", False)
    push()
    assert permissions(ann_and_bob) == ("implicit", "implicit")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_household_is_in_again_when_the_last_flag_of_it_is_cleared(
    ann_and_bob: Running,
    push: Push,
    full_night: Night,
    add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:
    add_crm_contact("c2", "ann@example.com", do_not_email=False)
    full_night()
    for each, is_set in (("c1", True), ("c2", True), ("c1", False)):
        set_do_not_email(each, is_set)
        push()
        assert permission(ann_and_bob, ANN) == "unsubscribed"
    set_do_not_email("c2", False)
    push()
    assert permission(ann_and_bob, ANN) == "implicit"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_a_merged_contact_objected_to_ends_with_its_flag(
    ann_and_bob: Running, push: Push, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, crm: Database,
) -> None:  # fmt: skip
    add_crm_contact("c2", "bob@example.com", do_not_email=False)
    full_night()
    merge(crm, "c1", into="c2")
    push()
    set_do_not_email("c1", True)
    push()
    assert permissions(ann_and_bob) == ("unsubscribed", "unsubscribed")
    set_do_not_email("c1", False)
    push()
    push()
    assert permissions(ann_and_bob) == ("implicit", "implicit")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_merge_ends_no_flag_of_the_contact_that_is_kept(
    ann_and_bob: Running, push: Push, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, crm: Database, sql_rows: Rows,
) -> None:  # fmt: skip
    add_crm_contact("c2", "bob@example.com", do_not_email=False)
    full_night()
    merge(crm, "c1", into="c2")
    push()
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    push()
    set_do_not_email("c1", False)
    push()
    push()
    assert permissions(ann_and_bob) == ("implicit", "unsubscribed")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_flag_that_was_cleared_before_the_merge_lifts_nothing_of_the_merged_contacts(
    ann_and_bob: Running, push: Push, full_night: Night, add_crm_contact: Add,
    set_do_not_email: Flag, crm: Database,
) -> None:  # fmt: skip
    for is_set in (True, False):
        set_do_not_email("c1", is_set)
    merge(crm, "c2", into="c1")
    add_crm_contact("c2", "bob@example.com", do_not_email=True)
    full_night()
    push()
    assert permissions(ann_and_bob) == ("unsubscribed", "unsubscribed")


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_contact_that_asked_was_purged_and_signed_up_again_by_itself_stays_in(
    ann_and_bob: Running, push: Push, full_night: Night, set_do_not_email: Flag
) -> None:
    for is_set in (True, False):
        set_do_not_email("c1", is_set, by_contact=is_set)
        push()
    ann_and_bob.control.purge_contact(ANN)
    full_night()
    ann_and_bob.control.clock(advance_s=7200)
    ann_and_bob.control.load(contacts=[vendor_contact(3, "ann@example.com")])
    ann_and_bob.control.resubscribe(contact_id(3))
    full_night()
    push()
    assert permission(ann_and_bob, contact_id(3)) == "explicit"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_a_contact_that_asked_and_was_only_put_back_by_the_account_is_out_again(
    ann_and_bob: Running, push: Push, full_night: Night, set_do_not_email: Flag
) -> None:
    for is_set in (True, False):
        set_do_not_email("c1", is_set, by_contact=is_set)
        push()
    ann_and_bob.control.purge_contact(ANN)
    full_night()
    ann_and_bob.control.load(contacts=[vendor_contact(3, "ann@example.com")])
    full_night()
    push()
    assert permission(ann_and_bob, contact_id(3)) == "unsubscribed"


@pytest.mark.usefixtures("nobody_was_wronged")
def test_what_a_deleted_contact_asked_stands_for_it_though_another_signed_up(
    ann_and_bob: Running, push: Push, full_night: Night, set_do_not_email: Flag
) -> None:
    for is_set in (True, False):
        set_do_not_email("c1", is_set, by_contact=is_set)
        push()
    ann_and_bob.control.update_contact(ANN, email="ann@example.org")
    ann_and_bob.control.delete_contact(ANN)
    ann_and_bob.control.clock(advance_s=7200)
    ann_and_bob.control.load(contacts=[vendor_contact(3, "ann@example.com")])
    ann_and_bob.control.resubscribe(contact_id(3))
    full_night()
    push()
    ann_and_bob.control.restore_contact(ANN)
    full_night()
    push()
    assert permission(ann_and_bob, ANN) == "unsubscribed"
    assert permission(ann_and_bob, contact_id(3)) == "explicit"


@pytest.mark.parametrize("is_asked_first", [True, False])
def test_a_wish_that_a_person_lifts_holds_no_opt_out_of_ours(
    ann_and_bob: Running, push: Push, full_night: Night, set_do_not_email: Flag, crm: Database,
    sql_rows: Rows, is_asked_first: bool,
) -> None:  # fmt: skip
    if not is_asked_first:
        set_do_not_email("c1", True)
        push()
    set_do_not_email("c1", True, by_contact=True)
    push()
    now = ann_and_bob.control.truth_contact(ANN)
    assert (now["permission"], now["opt_out_source"]) == OUT_BY_CONTACT
    full_night()
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    lift_all(crm, sql_rows, "asked")
    assert push().resubscribed == 1
    assert permission(ann_and_bob, ANN) == "implicit"
    assert {status for _, status, _ in changes(sql_rows)} == {"done"}
