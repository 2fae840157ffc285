"""Opt-outs that meet a fault: looked at, repeated, kept or marked; never lost."""

from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.errors import (
    BudgetSpent,
    ConstantContactError,
    Forbidden,
    ServerFault,
    WriteUncertain,
)
from constant_contact.sync.consent import single
from simulator.server import Running
from tests.support import Add, Flag, Rows, contact_id, vendor_contact
from tests.sync.consent.outbox import Push, changes, puts

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")


@pytest.mark.parametrize(
    "kind",
    ["html_503", "reset_before", "reset_after", "truncated_json", "edit_conflict", "throttled"],
)
def test_a_write_that_fails_for_a_moment_is_looked_at_and_repeated(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows, kind: str
) -> None:
    simulator.control.add_fault(kind, match={"method": "PUT"}, times=2)
    set_do_not_email("c1", True, by_contact=True)
    report = push()
    assert report.unsubscribed + report.unchanged == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"
    assert changes(sql_rows) == [("c1", "done", True)]


def test_a_write_that_happened_is_not_repeated(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag
) -> None:
    simulator.control.add_fault("reset_after", match={"method": "PUT"})
    set_do_not_email("c1", True)
    push()
    assert puts(simulator) == 1


@pytest.mark.parametrize("fault", [None, "reset_before", "reset_after"])
def test_a_contact_that_opts_out_itself_meanwhile_is_not_taken_for_our_opt_out(
    simulator: Running,
    push: Push,
    ann: str,
    set_do_not_email: Flag,
    monkeypatch: pytest.MonkeyPatch,
    fault: str | None,
) -> None:
    really_put = single.put

    def put_after_the_contact(*args: Any) -> dict[str, Any]:
        simulator.control.unsubscribe(ann, source="Contact")
        return really_put(*args)

    if fault:
        simulator.control.add_fault(fault, match={"method": "PUT"})
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(single, "put", put_after_the_contact)
        set_do_not_email("c1", True)
        assert push().unchanged == 1
    set_do_not_email("c1", False)
    assert push().held == 1
    assert simulator.control.truth_contact(ann)["opt_out_source"] == "Contact"


def test_while_constant_contact_is_down_changes_stay_pending(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.add_fault("html_503", match={"path": "/contacts/"}, times=99)
    set_do_not_email("c1", True)
    with pytest.raises(ServerFault):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]
    simulator.control.clear_faults()
    assert push().unsubscribed == 1


@pytest.mark.parametrize(
    ("kind", "params", "error"),
    [("quota_exceeded", {}, BudgetSpent), ("status", {"status": 403}, Forbidden)],
)
def test_what_concerns_all_changes_stops_at_once_and_loses_none(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    kind: str, params: dict[str, Any], error: type[Exception],
) -> None:  # fmt: skip
    simulator.control.add_fault(kind, match={"path": "/contacts/"}, times=99, params=params)
    set_do_not_email("c1", True)
    with pytest.raises(error):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]


def test_a_refused_change_is_failed_with_the_reason_and_the_others_go_on(
    simulator: Running, push: Push, ann: str, add_crm_contact: Add, set_do_not_email: Flag,
    sql_rows: Rows,
) -> None:  # fmt: skip
    simulator.control.load(contacts=[vendor_contact(2, "bob@example.com")])
    add_crm_contact("c2", "bob@example.com", constant_contact_id=contact_id(2))
    simulator.control.add_fault(
        "status", match={"method": "PUT", "path": ann}, times=99,
        params={"status": 400, "body": [{"error_key": "bad", "error_message": "ann@example.com?"}]},
    )  # fmt: skip
    set_do_not_email("c1", True)
    set_do_not_email("c2", True)
    report = push()
    assert (report.failed, report.unsubscribed) == (1, 1)
    (failed,) = sql_rows("SELECT detail FROM crm_opt_out_change WHERE status = 'failed'")
    assert "400 bad" in failed["detail"]
    assert "ann@" not in failed["detail"]


def test_a_conflict_that_stays_leaves_the_change_pending(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    simulator.control.add_fault("edit_conflict", match={"method": "PUT"}, times=4)
    set_do_not_email("c1", True)
    with pytest.raises(WriteUncertain):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]
    assert push().unsubscribed == 1


@pytest.mark.parametrize(
    ("status", "body"), [(200, ""), (200, {}), (200, []), (202, ""), (404, "<html>lost</html>")]
)
def test_an_answer_that_tells_of_no_contact_ends_no_change(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    status: int, body: Any,
) -> None:  # fmt: skip
    simulator.control.add_fault(
        "status", match={"path": "/contacts/"}, times=99, params={"status": status, "body": body}
    )
    set_do_not_email("c1", True)
    with pytest.raises(ConstantContactError):
        push()
    assert changes(sql_rows) == [("c1", "pending", True)]
    simulator.control.clear_faults()
    assert push().unsubscribed == 1


@pytest.mark.parametrize("acts", [True, False], ids=["carried out", "not carried out"])
@pytest.mark.parametrize(("status", "body"), [(202, ""), (204, ""), (200, {}), (200, None)])
def test_a_write_is_believed_when_the_contact_is_seen_to_be_unsubscribed(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows,
    status: int, body: Any, acts: bool,
) -> None:  # fmt: skip
    as_before = {
        "contact_id": ann,
        "email_address": {"address": "ann@example.com", "permission_to_send": "implicit"},
    }
    params = {"status": status, "body": as_before if body is None else body, "acts": acts}
    simulator.control.add_fault("status", match={"method": "PUT"}, params=params)
    set_do_not_email("c1", True)
    assert push().unsubscribed == 1
    assert puts(simulator) == (1 if acts else 2)
    assert simulator.control.truth_contact(ann)["permission"] == "unsubscribed"
    (mirrored,) = sql_rows("SELECT permission_to_send FROM ctct_contact")
    assert mirrored == {"permission_to_send": "unsubscribed"}


def test_the_same_id_in_capitals_is_the_same_contact(
    simulator: Running, push: Push, ann: str, set_do_not_email: Flag, sql_rows: Rows
) -> None:
    capitals = ann.replace("0000-4000", "0000-4ABC")
    simulator.control.load(contacts=[{"contact_id": capitals.lower(), "email": "bob@example.com"}])
    sql_rows("UPDATE crm_contact SET constant_contact_id = %s", capitals)
    set_do_not_email("c1", True)
    assert push().unsubscribed == 1
    assert simulator.control.truth_contact(capitals.lower())["permission"] == "unsubscribed"
    # As the vendor spells it: the next linking gives that to the CRM.
    assert sql_rows("SELECT contact_id FROM ctct_contact") == [{"contact_id": capitals.lower()}]


@pytest.mark.parametrize(
    "odd",
    [
        {"birthday_month": 5},
        {"birthday_month": 0, "birthday_day": 0},
        {"first_name": "x" * 60},
        {"anniversary": "2006-11-15T00:00:00Z"},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_nothing_that_a_put_may_not_hold_keeps_an_opt_out_from_being_carried(
    simulator: Running, push: Push, add_crm_contact: Add, set_do_not_email: Flag, odd: Any
) -> None:
    person = vendor_contact(1, "ann@example.com", **{"last_name": "Lee"} | odd)
    simulator.control.load(contacts=[person])
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1))
    set_do_not_email("c1", True)
    assert push().unsubscribed == 1
    now = simulator.control.truth_contact(contact_id(1))
    assert (now["permission"], now["last_name"]) == ("unsubscribed", "Lee")


def test_of_an_anniversary_with_a_time_the_day_is_kept(
    simulator: Running, push: Push, client: Client, add_crm_contact: Add, set_do_not_email: Flag
) -> None:
    person = vendor_contact(1, "ann@example.com", anniversary="2006-11-15T00:00:00Z")
    simulator.control.load(contacts=[person])
    add_crm_contact("c1", "ann@example.com", constant_contact_id=contact_id(1))
    set_do_not_email("c1", True)
    push()
    assert client.get(f"/contacts/{contact_id(1)}")["anniversary"] == "2006-11-15"
