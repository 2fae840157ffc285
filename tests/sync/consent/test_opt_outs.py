"""Consent: what reaches Constant Contact, what is held, and what never happens."""

from collections.abc import Callable
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.contacts.links import link_contacts
from constant_contact.sync.contacts.mirror import sync_contacts
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, changes, crowd, puts

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.mark.parametrize(("by_contact", "source"), [(True, "Contact"), (False, "Account")])
def test_an_opt_out_is_carried_with_its_reason_and_who_asked(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    by_contact: bool, source: str,
) -> None:  # fmt: skip
    set_do_not_email("c1", True, reason="moved abroad", by_contact=by_contact)
    assert push().unsubscribed == 1
    now = simulator.control.truth_contact(ann)
    assert (now["permission"], now["opt_out_source"]) == ("unsubscribed", source)
    assert now["opt_out_reason"] == "moved abroad"
    assert changes(sql_rows) == [("c1", "done", True)]


def test_an_opt_out_costs_two_calls_and_a_comparison_none(
    simulator: Running, client: Client, crm: Database, push: Push, add_crm_contact: Add,
    sql_rows: Rows, calls: Callable[..., int],
) -> None:  # fmt: skip
    crowd(simulator, add_crm_contact, 20)
    sync_contacts(client, crm)
    link_contacts(crm)
    flag = "UPDATE crm_contact SET do_not_email = %s WHERE contact_id = any(%s)"
    calls()
    assert (push().pending, calls()) == (0, 0)
    sql_rows(flag, True, [f"c{n}" for n in range(10)])
    assert (push(whole=False).unsubscribed, calls()) == (10, 2 * 10)
    # Without a doorbell.
    sql_rows("ALTER TABLE crm_contact DISABLE TRIGGER USER")
    sql_rows(flag, True, [f"c{n}" for n in range(10, 15)])
    assert (push().found, calls()) == (5, 2 * 5)
    sql_rows(flag, False, ["c0", "c10"])
    assert (push().resubscribed, calls()) == (2, 2 * 2)
    # Who is unsubscribed already is only looked at.
    simulator.control.unsubscribe(contact_id(19))
    sql_rows("ALTER TABLE crm_contact ENABLE ALWAYS TRIGGER constant_contact_no")
    sql_rows(flag, True, ["c19"])
    assert (push(whole=False).unchanged, calls()) == (1, 1)
    assert (push().pending, calls()) == (0, 0)


def test_nothing_else_of_the_contact_changes(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    before = simulator.control.truth_contact(ann)
    set_do_not_email("c1", True)
    push()
    after = simulator.control.truth_contact(ann)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {
        "permission", "opt_out_source", "opt_out_date", "opt_out_reason", "lists", "updated_at",
    }  # fmt: skip
    assert after["first_name"] == "Ann"
    assert after["extras"] == before["extras"]


def test_the_mirror_learns_it_in_the_same_moment(
    push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    push()
    (row,) = sql_rows("SELECT permission_to_send FROM ctct_contact WHERE contact_id = %s", ann)
    assert row["permission_to_send"] == "unsubscribed"


def test_a_long_reason_is_cut_to_what_the_vendor_takes(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True, reason="x" * 400)
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["opt_out_reason"] == "x" * 255


def test_the_accounts_own_opt_out_can_be_cleared(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    assert push().resubscribed == 1
    assert simulator.control.truth_contact(ann)["permission"] == "implicit"


@pytest.fixture(params=["pending_confirmation", "temp_hold", "not_set"])
def unmailed(request: pytest.FixtureRequest, simulator: Running, ann: str, sql_rows: Rows) -> str:
    """Return the contact that c1 is linked to, which cannot be mailed without an opt-out."""
    address = {"address": "bob@example.com", "permission_to_send": request.param}
    simulator.control.load(contacts=[{"contact_id": contact_id(2), "email_address": address}])
    sql_rows("UPDATE crm_contact SET constant_contact_id = %s", contact_id(2))
    return contact_id(2)


def test_who_could_not_be_mailed_before_our_opt_out_cannot_after_it_is_cleared(
    simulator: Running, push: Push, unmailed: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    assert push().unsubscribed == 1
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(unmailed)["permission"] == "unsubscribed"


def test_nor_where_the_answer_to_the_opt_out_was_lost(
    simulator: Running, push: Push, unmailed: str, set_do_not_email: Flag
) -> None:
    simulator.control.add_fault("reset_after", match={"method": "PUT"})
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(unmailed)["permission"] == "unsubscribed"


def test_nor_where_another_contact_of_the_crm_had_it_carried_and_is_gone(
    simulator: Running, push: Push, unmailed: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    sql_rows(
        "INSERT INTO crm_contact (contact_id, constant_contact_id) VALUES ('c2', %s)", unmailed
    )
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c2", True)
    push()
    sql_rows("DELETE FROM crm_contact WHERE contact_id = 'c1'")
    set_do_not_email("c2", False)
    assert push().held == 1
    assert simulator.control.truth_contact(unmailed)["permission"] == "unsubscribed"


def test_an_opt_out_that_the_contact_asked_for_is_not_cleared_by_us(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
    (held,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'held'")
    assert "Only the contact can undo that" in held["detail"]


def test_an_unsubscribe_made_at_constant_contact_is_not_cleared_by_us(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    sql_rows("UPDATE crm_contact SET do_not_email = TRUE")
    sql_rows("DELETE FROM crm_opt_out_change")
    simulator.control.unsubscribe(ann, source="Contact")
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_a_wish_of_the_contact_counts_even_if_it_was_superseded_before_it_went_out(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c1", False)
    set_do_not_email("c1", True, by_contact=True)
    set_do_not_email("c1", False)
    report = push()
    assert (report.superseded, report.held) == (1, 1)
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_an_account_opt_out_becomes_the_contacts_own_when_the_contact_asks(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    simulator.control.unsubscribe(ann, source="Account")
    set_do_not_email("c1", True, by_contact=True)
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"


def test_someone_else_with_the_address_who_said_no_is_heard(
    simulator: Running, push: Push, ann: str, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c2", "ann@example.com", constant_contact_id=ann)
    set_do_not_email("c1", True)
    set_do_not_email("c2", True)
    push()
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
    set_do_not_email("c2", False)
    assert push().resubscribed == 1


def test_what_the_crm_says_now_counts_and_a_change_that_says_otherwise_is_superseded(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    for flag in (True, False, True):
        set_do_not_email("c1", flag)
    assert push().superseded == 2
    assert changes(sql_rows) == [
        ("c1", "superseded", True),
        ("c1", "superseded", False),
        ("c1", "done", True),
    ]
    assert puts(simulator) == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_a_later_opt_out_supersedes_a_held_opt_in(
    push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    set_do_not_email("c1", False)
    push()
    set_do_not_email("c1", True)
    push()
    assert [status for _, status, _ in changes(sql_rows)] == ["done", "superseded", "done"]


def test_opt_outs_go_before_opt_ins(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.load(contacts=[vendor_contact(n, f"{n}@example.com") for n in range(1, 7)])
    for n in range(1, 7):
        add_crm_contact(
            f"c{n}", f"{n}@example.com", constant_contact_id=contact_id(n), do_not_email=n < 4
        )
    for n in range(1, 7):
        set_do_not_email(f"c{n}", n >= 4)
    push(workers=1)
    rows = sql_rows("SELECT do_not_email FROM crm_opt_out_change ORDER BY processed_at")
    assert [row["do_not_email"] for row in rows] == [True] * 6 + [False] * 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda control, ann: control.delete_contact(ann),
        lambda control, ann: control.purge_contact(ann),
    ],
    ids=["deleted", "purged"],
)
@pytest.mark.parametrize("flag", [True, False])
def test_a_contact_that_is_gone_is_not_brought_back(
    simulator: Running, push: Push, ann: str, sql_rows: Rows, damage: Any, flag: bool
) -> None:
    damage(simulator.control, ann)
    sql_rows("UPDATE crm_contact SET do_not_email = %s", flag)
    sql_rows("DELETE FROM crm_opt_out_change")
    sql_rows("INSERT INTO crm_opt_out_change (contact_id, do_not_email) VALUES ('c1', %s)", flag)
    assert push().unchanged == 1
    assert puts(simulator) == 0
    assert changes(sql_rows)[0][1] == "done"


def test_a_change_of_an_unlinked_contact_goes_out_when_it_is_linked(
    simulator: Running, push: Push, client: Client, crm: Database, add_crm_contact: Add,
    set_do_not_email: Flag,
) -> None:  # fmt: skip
    add_crm_contact("c1", "ann@example.com")
    set_do_not_email("c1", True)
    assert push().unchanged == 1
    simulator.control.load(contacts=[vendor_contact(1, "ann@example.com")])
    sync_contacts(client, crm, full=True)
    assert link_contacts(crm).opt_outs_queued == 1
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(contact_id(1))["permission"] == "unsubscribed"


def test_a_change_of_an_id_that_the_crm_never_had_fails_and_says_so(
    push: Push, sql_rows: Rows
) -> None:
    sql_rows("INSERT INTO crm_opt_out_change (contact_id, do_not_email) VALUES ('gone', TRUE)")
    assert push().failed == 1
    (row,) = sql_rows("SELECT detail FROM crm_opt_out_change")
    assert row["detail"].startswith("The CRM has no contact with this id")


def test_a_change_of_a_contact_that_has_left_the_crm_is_done(
    push: Push, sql_rows: Rows, add_crm_contact: Add
) -> None:
    add_crm_contact("c1", None)
    push()
    sql_rows("DELETE FROM crm_contact")
    push()
    sql_rows("INSERT INTO crm_opt_out_change (contact_id, do_not_email) VALUES ('c1', TRUE)")
    assert push().unchanged == 1


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    for flag in (True, False, True):
        set_do_not_email("c1", flag)
    assert push(dry_run=True).unsubscribed == 1
    assert {status for _, status, _ in changes(sql_rows)} == {"pending"}
    assert puts(simulator) == 0
    assert simulator.control.truth_contact(ann)["permission"] == "implicit"


def test_a_person_who_left_the_crm_is_unsubscribed_all_the_same(
    simulator: Running, push: Push, client: Client, crm: Database, ann: str,
    set_do_not_email: Flag, sql_rows: Rows,
) -> None:  # fmt: skip
    sync_contacts(client, crm)
    set_do_not_email("c1", True, by_contact=True)
    sql_rows("DELETE FROM crm_contact")
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"


def test_who_asked_is_left_alone_even_if_the_flag_is_cleared_before_that_went_out(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    set_do_not_email("c1", False)
    assert push().held == 1
    now = simulator.control.truth_contact(ann)
    assert (now["permission"], now["opt_out_source"]) == ("unsubscribed", "Contact")
    set_do_not_email("c1", True)
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_a_contact_that_opted_in_again_by_itself_is_believed(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    set_do_not_email("c1", True, by_contact=True)
    push()
    simulator.control.clock(advance_s=3600)
    simulator.control.resubscribe(ann)
    set_do_not_email("c1", False)
    assert push().unchanged == 1
    assert simulator.control.truth_contact(ann)["permission"] != "unsubscribed"


def test_what_another_member_of_the_household_asked_for_is_heard(
    simulator: Running, push: Push, ann: str, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    add_crm_contact("c2", "ann@example.com", constant_contact_id=ann)
    set_do_not_email("c1", True)
    push()
    set_do_not_email("c2", True, by_contact=True)
    set_do_not_email("c2", False)
    set_do_not_email("c1", False)
    assert push().resubscribed == 0
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"


def test_a_flag_that_is_null_before_it_was_seen_takes_no_opt_out_back(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    set_do_not_email("c1", True)
    sql_rows("UPDATE crm_contact SET do_not_email = NULL WHERE contact_id = 'c1'")
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
