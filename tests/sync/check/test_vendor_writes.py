"""The writing check: what it tries, and what it never touches."""

import re
from itertools import islice

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.check import write_assumptions
from constant_contact.sync.check.assumptions import Result, Side
from constant_contact.sync.check.trial import MARK
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_assumptions import WRITES
from constant_contact.sync.check.vendor_writes import WRITE_CALLS, write_vendor
from simulator.server import Running
from tests.support import Rows, contact_id, vendor_contact
from tests.sync.check.stocked import found, results, said_in
from tests.sync.check.trials import ADDRESS, Write, living_lists, ours
from tests.sync.memberships.requests import list_id

_OFTEN = 1_000_000


def test_every_assumption_holds_and_nothing_is_left(simulator: Running, write: Write) -> None:
    lines = list(write())
    assert results(lines) == {each.name: Result.OK for each in WRITES}
    assert [each["deleted"] for each in ours(simulator)] == [True]
    assert living_lists(simulator) == []
    assert simulator.control.truth()["policy_violations"] == []


def test_each_assumption_is_of_one_probe_and_has_a_name_of_its_own() -> None:
    names = [each.name for each in WRITES]
    assert sorted(names) == sorted(said_in(write_assumptions))
    assert len(set(names)) == len(names)
    assert {each.side for each in WRITES} == {Side.WRITES}


def test_it_makes_no_more_calls_than_it_says(simulator: Running, write: Write) -> None:
    list(write())
    calls = [call for call in simulator.control.calls() if call["path"].startswith("/v3/")]
    assert len(calls) <= WRITE_CALLS


def test_an_address_of_a_contact_that_is_not_ours_is_refused_and_nothing_is_written(
    simulator: Running, write: Write
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, ADDRESS.upper(), company_name="Air")])
    before = simulator.control.truth_contact(contact_id(1))
    lines = list(write())
    assert {line.result for line in lines} == {Result.NOT_TRIED}
    assert "give one that no contact has" in lines[0].seen
    assert simulator.control.truth_contact(contact_id(1)) == before
    assert {call["method"] for call in simulator.control.calls() if "/v3/" in call["path"]} == {
        "GET"
    }


def test_nor_is_it_written_to_where_the_search_does_not_find_it(
    simulator: Running, write: Write
) -> None:
    simulator.control.load(contacts=[vendor_contact(1, ADDRESS)])
    nothing = {"status": 200, "body": {"contacts": []}}
    simulator.control.add_fault(
        "status", times=_OFTEN, match={"path": "/contacts$", "query": "email="}, params=nothing
    )
    before = simulator.control.truth_contact(contact_id(1))
    lines = list(write())
    assert found(lines) == {}
    assert results(lines)["opt_out"] is Result.NOT_TRIED
    assert simulator.control.truth_contact(contact_id(1)) == before
    assert living_lists(simulator) == []


def test_one_contact_of_two_that_is_not_ours_is_enough_to_refuse(
    simulator: Running, write: Write
) -> None:
    list(write())
    (mine,) = ours(simulator)
    email = {"address": ADDRESS, "permission_to_send": "implicit"}
    two = [
        {"contact_id": mine["contact_id"], "company_name": MARK, "email_address": email},
        {"contact_id": contact_id(1), "email_address": email},
    ]
    simulator.control.add_fault(
        "status", match={"query": "email="}, params={"status": 200, "body": {"contacts": two}}
    )
    simulator.control.clear_calls()
    assert {line.result for line in write()} == {Result.NOT_TRIED}
    assert {call["method"] for call in simulator.control.calls()} == {"GET"}


def test_a_person_who_has_unsubscribed_from_the_check_is_left_alone(
    simulator: Running, write: Write
) -> None:
    list(write())
    (mine,) = ours(simulator)
    simulator.control.restore_contact(mine["contact_id"])
    simulator.control.resubscribe(mine["contact_id"])
    simulator.control.unsubscribe(mine["contact_id"], source="Contact")
    before = simulator.control.truth_contact(mine["contact_id"])
    lines = list(write())
    assert {line.result for line in lines} == {Result.NOT_TRIED}
    assert simulator.control.truth_contact(mine["contact_id"]) == before


@pytest.mark.parametrize("use", ["on a list", "linked"])
@pytest.mark.parametrize("address", [ADDRESS, "other@example.com"])
def test_a_contact_of_a_check_that_has_become_a_subscriber_is_left_alone(
    simulator: Running,
    write: Write,
    client: Client,
    crm: Database,
    sql_rows: Rows,
    use: str,
    address: str,
) -> None:
    simulator.control.load(lists=[{"list_id": list_id(1), "name": "News"}])
    interrupted = write()
    list(islice(interrupted, 5))
    (mine,) = ours(simulator)
    if use == "on a list":
        simulator.control.update_contact(mine["contact_id"], list_memberships=[list_id(1)])
    else:
        sql_rows(
            "INSERT INTO ctct_link (contact_id, constant_contact_id) VALUES ('test', %s)",
            mine["contact_id"],
        )
    before = simulator.control.truth_contact(mine["contact_id"])
    sql_rows("UPDATE crm_contact SET preferred_email = %s", address)
    with crm.session() as session:
        contact = TrialContact(crm, session, "test")
        lines = list(write_vendor(client, contact, waits_s=(0, 0, 0)))
    assert mine["contact_id"] in lines[0].seen
    assert (lines[0].result is Result.NOT_TRIED) is (address == ADDRESS)
    assert simulator.control.truth_contact(mine["contact_id"]) == before


@pytest.mark.parametrize(
    ("before", "withdraw"),
    [
        ("opt_in", "UPDATE crm_contact SET do_not_email = true"),
        ("put_nulls", "UPDATE crm_contact SET do_not_email = NULL"),
        (
            "import",
            "INSERT INTO ctct_objection (source, email_digest, objected_at)"
            f" VALUES ('click', ctct_email_digest('{ADDRESS}'), now())",
        ),
        (
            "import_keeps_opt_outs",
            "INSERT INTO crm_contact (contact_id, preferred_email, do_not_email)"
            f" VALUES ('spouse', upper('{ADDRESS}'), true)",
        ),
        ("opt_in", "UPDATE crm_contact SET preferred_email = 'other@example.com'"),
    ],
)
def test_a_no_that_comes_meanwhile_ends_the_writes_before_the_next_opt_in(
    simulator: Running, write: Write, sql_rows: Rows, before: str, withdraw: str
) -> None:
    names = [each.name for each in WRITES]
    last = names[names.index(before) - 1]
    lines = []
    for line in write():
        lines.append(line)
        if line.assumption.name == last:
            sql_rows(withdraw)
            simulator.control.clear_calls()
    assert [line.assumption.name for line in lines] == names
    by_name = {line.assumption.name: line for line in lines}
    assert by_name[before].result is Result.NOT_TRIED
    assert re.search("must not be emailed|more than one|another address", by_name[before].seen)
    assert by_name["removal"].result is Result.OK
    sent = [call for call in simulator.control.calls() if call["method"] in {"PUT", "POST"}]
    assert len(sent) == (before in {"put_nulls", "import"})
    (mine,) = ours(simulator)
    assert (mine["deleted"], mine["permission"]) == (True, "unsubscribed")


def test_a_contact_that_was_unsubscribed_meanwhile_is_not_opted_in_again(
    simulator: Running, write: Write
) -> None:
    lines = []
    for line in write():
        lines.append(line)
        if line.assumption.name == "bulk_add":
            (mine,) = ours(simulator)
            simulator.control.unsubscribe(mine["contact_id"], source="Contact")
            simulator.control.clear_calls()
            before = simulator.control.truth_contact(mine["contact_id"])
        if line.assumption.name == "put_keeps_lists":
            assert simulator.control.truth_contact(mine["contact_id"]) == before
    assert results(lines)["put_nulls"] is Result.NOT_TRIED


def test_no_line_and_no_log_holds_the_address(
    simulator: Running, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="constant_contact")
    simulator.control.add_fault("status", after=9, params={"body": f"about {ADDRESS}"})
    shown = " ".join(line.seen for line in write()) + caplog.text
    assert "check.me" not in shown
