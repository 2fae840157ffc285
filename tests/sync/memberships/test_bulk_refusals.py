"""Calls that are refused as a whole: the one to blame is found by halves, all others are done."""

from collections.abc import Callable
from math import log2
from typing import Any

import pytest

from constant_contact.api import vendor
from constant_contact.errors import Unforeseen, WriteUncertain
from constant_contact.sync.memberships import bulk_jobs, new_contacts
from simulator.server import Running
from tests.support import Rows, contact_id
from tests.sync.consent.test_gateways import BLOCK_PAGE, block
from tests.sync.memberships.requests import Push, answers, made, on_lists, statuses

Many = Callable[..., None]

pytestmark = pytest.mark.usefixtures("nobody_was_wronged")

VENDORS = [{"error_key": "activities.validation.error", "error_message": "One row is no good."}]
MOST = 2 * log2(400) + 8


@pytest.fixture
def many(simulator: Running, sql_rows: Rows) -> Many:
    """Makes contacts of the CRM and requests to put them on list 1; `linked`: at the vendor too."""

    def make(size: int, *, linked: bool, bad: int = 7, name: str = "x'; DROP TABLE y") -> None:
        if linked:
            simulator.control.load(
                contacts=[
                    {"contact_id": contact_id(n), "email": f"p{n}@example.com"} for n in range(size)
                ]
            )
        sql_rows(
            "INSERT INTO crm_contact"
            " (contact_id, preferred_email, first_name, last_name, constant_contact_id)"
            " SELECT 'c' || n, 'p' || n || '@example.com', 'Ann',"
            " CASE WHEN n = %s THEN %s ELSE 'Lee' END,"
            " CASE WHEN %s THEN '00000000-0000-4000-8000-' || lpad(n::text, 12, '0') END"
            " FROM generate_series(0, %s) AS n",
            bad,
            name,
            linked,
            size - 1,
        )
        sql_rows(
            "INSERT INTO crm_list_membership (contact_id, list_id)"
            " SELECT contact_id, '00000000-0000-4000-8001-000000000001' FROM crm_contact"
        )

    return make


def posts(simulator: Running) -> int:
    return made(simulator, "POST", "/v3/activities")


@pytest.mark.parametrize(
    ("status", "answer"), [(403, BLOCK_PAGE), (413, ""), (200, BLOCK_PAGE), (400, {"message": "?"})]
)
def test_an_import_with_a_name_that_a_gateway_refuses_is_carried_for_all(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows, status: int, answer: Any
) -> None:
    many(400, linked=False)
    block(simulator, status=status, answer=answer)
    report = push_lists()
    assert (report.created, report.added, report.failed) == (400, 400, 0)
    assert posts(simulator) <= MOST
    people = {each["email"]: each for each in simulator.control.truth_contacts()}
    assert people["p7@example.com"]["last_name"] is None
    assert people["p8@example.com"]["last_name"] == "Lee"
    assert "Without its names" in str(answers(sql_rows)["c7", 1][1])


def test_of_an_import_with_an_address_that_a_gateway_refuses_one_row_says_why(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows
) -> None:
    many(400, linked=False)
    block(simulator, body="p7@example")
    report = push_lists()
    assert (report.added, report.failed) == (399, 1)
    status, detail = answers(sql_rows)["c7", 1]
    assert status == "failed"
    assert "403" in str(detail)
    assert "firewall or proxy" in str(detail)
    assert made(simulator, "POST", "/v3/") <= MOST + 8


@pytest.mark.parametrize("kind", ["import", "add"])
def test_a_call_that_the_vendor_refuses_for_one_contact_is_done_for_the_others(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows, kind: str
) -> None:
    many(600, linked=kind == "add")
    bad = "p7@example" if kind == "import" else contact_id(7)
    block(simulator, body=bad, status=400, answer=VENDORS, method="POST")
    report = push_lists()
    assert (report.added, report.rejected, report.failed) == (599, 1, 0)
    status, detail = answers(sql_rows)["c7", 1]
    assert status == "rejected"
    assert "One row is no good." in str(detail)
    assert posts(simulator) <= MOST


def test_a_job_that_fails_for_one_contact_is_done_for_the_others(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows
) -> None:
    many(200, linked=True)
    simulator.control.add_fault("failed_job", match={"body": contact_id(7)}, times=9999)
    report = push_lists()
    assert (report.added, report.failed) == (199, 1)
    assert "ended as failed" in str(answers(sql_rows)["c7", 1][1])


@pytest.mark.parametrize("bad", [{7}, {7, 300}, set(range(0, 400, 40))])
def test_each_bad_contact_costs_about_two_calls_for_each_halving(
    simulator: Running, push_lists: Push, many: Many, bad: set[int]
) -> None:
    many(400, linked=True)
    for number in bad:
        block(simulator, body=contact_id(number), status=400, answer=VENDORS, method="POST")
    report = push_lists()
    assert (report.added, report.rejected) == (400 - len(bad), len(bad))
    assert posts(simulator) <= 2 + len(bad) * 2 * (log2(400) + 1)


@pytest.mark.parametrize(("status", "answer"), [(400, VENDORS), (403, BLOCK_PAGE), (502, "")])
def test_calls_that_are_refused_whoever_is_in_them_are_not_split_for_ever(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows, status: int, answer: Any
) -> None:
    many(400, linked=True)
    block(simulator, body="", status=status, answer=answer, method="POST", path="activities")
    batches = -(-400 // vendor.CONTACTS_PER_CHANGE)
    if answer == VENDORS:
        assert push_lists().failed == 400 - 3 * batches
        assert set(statuses(sql_rows)) == {"failed", "rejected"}
    else:
        with pytest.raises(WriteUncertain):
            push_lists()
        assert set(statuses(sql_rows)) == {"pending"}
        simulator.control.clear_faults()
        assert push_lists().added == 400
        return
    assert posts(simulator) <= 12 * batches


def test_of_a_contact_that_is_refused_on_one_of_its_lists_the_others_are_done(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows, lists: list[str]
) -> None:
    many(1, linked=True)
    sql_rows("INSERT INTO crm_list_membership (contact_id, list_id) VALUES ('c0', %s)", lists[1])
    sql_rows("INSERT INTO crm_list_membership (contact_id, list_id) VALUES ('c0', %s)", lists[2])
    block(simulator, body=lists[1], status=400, answer=VENDORS, method="POST")
    report = push_lists()
    assert (report.added, report.rejected) == (2, 1)
    assert on_lists(simulator)["p0@example.com"] == {1, 3}


@pytest.mark.parametrize("status", [500, 501, 503])
def test_a_gateway_that_calls_itself_out_of_order_for_one_contact_stops_no_other(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows, status: int
) -> None:
    many(100, linked=True)
    block(simulator, body=contact_id(7), status=status)
    report = push_lists(grace_s=60)
    assert (report.added, report.failed) == (99, 1)
    assert str(status) in str(answers(sql_rows)["c7", 1][1])


def test_one_lone_contact_that_a_gateway_refuses_waits_and_says_why(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows
) -> None:
    many(1, linked=True)
    block(simulator, body="", method="POST", path="activities")
    with pytest.raises(WriteUncertain):
        push_lists()
    status, detail = answers(sql_rows)["c0", 1]
    assert status == "pending"
    assert "firewall or proxy" in str(detail)
    simulator.control.clear_faults()
    assert push_lists().added == 1


@pytest.mark.parametrize("kind", ["create", "add"])
def test_an_error_that_nobody_foresaw_sets_one_contact_aside_and_ends_the_run_red(
    simulator: Running, push_lists: Push, many: Many, sql_rows: Rows, kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    many(4 if kind == "create" else 40, linked=kind == "add", bad=2, name="unheard of")
    if kind == "create":
        really = new_contacts._body

        def body(activity: Any, person: Any) -> Any:
            return really(activity, person) | {"n": {"Lee": 1}.__getitem__(person["last_name"])}

        monkeypatch.setattr(new_contacts, "_body", lambda *of: body(*of) and really(*of))
    else:
        whole = bulk_jobs.body_of

        def carefully(*of: Any) -> Any:
            made_of = whole(*of)
            if contact_id(2) in made_of["source"]["contact_ids"]:
                raise KeyError("unheard of")
            return made_of

        monkeypatch.setattr(bulk_jobs, "body_of", carefully)
    with pytest.raises(Unforeseen, match="KeyError"):
        push_lists()
    found = answers(sql_rows)
    status, detail = found.pop(("c2", 1))
    assert status == "failed"
    assert "KeyError" in str(detail)
    assert {status for status, _ in found.values()} == {"done"}
