"""The writing check: what it tries, what it never touches, and what it leaves."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from constant_contact.api.client import Client
from constant_contact.store.database import Database
from constant_contact.sync.check.assumptions import Line, Result, Side
from constant_contact.sync.check.trial import MARK
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_assumptions import WRITES
from constant_contact.sync.check.vendor_writes import PROBES, WRITE_CALLS, write_vendor
from simulator.server import Running
from tests.support import contact_id, vendor_contact
from tests.sync.check.stocked import found, results

ADDRESS = "check.me@example.com"
_OFTEN = 1_000_000
Write = Callable[[], Iterator[Line]]


@pytest.fixture
def contact(crm: Database, add_crm_contact: Callable[..., None]) -> Iterator[TrialContact]:
    add_crm_contact("test", ADDRESS)
    with crm.session() as session:
        yield TrialContact(crm, session, "test")


@pytest.fixture
def write(client: Client, contact: TrialContact) -> Write:
    return lambda: write_vendor(client, contact, waits_s=(0, 0, 0))


def ours(simulator: Running) -> list[dict[str, Any]]:
    return [each for each in simulator.control.truth_contacts() if each["email"] == ADDRESS]


def living_lists(simulator: Running) -> list[str]:
    simulator.control.finish_bulk()
    return [each["name"] for each in simulator.control.truth()["lists"] if not each["deleted"]]


def test_every_assumption_holds_and_nothing_is_left(simulator: Running, write: Write) -> None:
    lines = list(write())
    assert results(lines) == {each.name: Result.OK for each in WRITES}
    assert [each["deleted"] for each in ours(simulator)] == [True]
    assert living_lists(simulator) == []
    assert simulator.control.truth()["policy_violations"] == []


def test_each_assumption_is_of_one_probe_and_has_a_name_of_its_own() -> None:
    names = [each.name for probe in PROBES for each in probe.assumptions]
    assert sorted(names) == sorted(each.name for each in WRITES)
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


@pytest.mark.parametrize("steps", range(1, len(WRITES)))
def test_what_an_interrupted_run_left_is_removed_by_the_next(
    simulator: Running, write: Write, steps: int
) -> None:
    list(islice(write(), steps))
    lines = list(write())
    assert found(lines) == {}
    assert results(lines)["removal"] is Result.OK
    assert all(each["deleted"] for each in ours(simulator))
    assert living_lists(simulator) == []


def test_it_is_removed_too_by_a_run_with_another_address(
    simulator: Running,
    write: Write,
    client: Client,
    crm: Database,
    add_crm_contact: Callable[..., None],
) -> None:
    list(islice(write(), 6))
    assert [each["deleted"] for each in ours(simulator)] == [False]
    add_crm_contact("other", "other@example.com")
    with crm.session() as session:
        other = TrialContact(crm, session, "other")
        lines = list(write_vendor(client, other, waits_s=(0, 0, 0)))
    assert set(results(lines).values()) == {Result.OK}
    assert [each["deleted"] for each in ours(simulator)] == [True]
    assert living_lists(simulator) == []


def test_a_second_run_says_which_list_it_removed(simulator: Running, write: Write) -> None:
    (first,) = islice(write(), 1)
    list_id = first.seen.removeprefix("list ")
    (second,) = islice(write(), 1)
    assert second.seen.endswith(f"an earlier run's lists that were removed: {list_id}")


def test_what_cannot_be_removed_is_named_by_its_ids(simulator: Running, write: Write) -> None:
    simulator.control.mutate("removal", "nothing can be deleted")
    *_, last = write()
    (mine,) = ours(simulator)
    assert last.result is Result.DIFFERS
    assert f"contact {mine['contact_id']} is still there" in last.seen
    assert "list " in last.seen
    simulator.control.clear_faults()
    assert results(write())["removal"] is Result.OK
    assert living_lists(simulator) == []


def test_a_token_that_is_refused_in_the_middle_leaves_names_behind(
    simulator: Running, write: Write
) -> None:
    simulator.control.add_fault("unauthorized", after=12, times=_OFTEN, match={"path": "^/v3/"})
    lines = list(write())
    (mine,) = ours(simulator)
    assert len(lines) == len(WRITES)
    assert f"made by this check: contact {mine['contact_id']}, list " in lines[-1].seen


def test_a_bulk_job_that_does_not_end_is_given_up_by_a_limit_in_seconds(
    simulator: Running, write: Write
) -> None:
    simulator.control.settings(bulk_polls=1000, bulk_seconds=-1)
    lines = list(write())
    assert found(lines) == {"bulk_time": Result.DIFFERS}
    assert results(lines)["bulk_add"] is Result.NOT_TRIED


@pytest.mark.parametrize("kind", ["html_503", "truncated_json", "reset_after", "malformed_json"])
def test_whatever_fails_in_the_middle_the_rest_is_removed(
    simulator: Running, write: Write, kind: str
) -> None:
    simulator.control.add_fault(kind, after=6, times=4, match={"path": "^/v3/"})
    lines = list(write())
    assert sorted(line.assumption.name for line in lines) == sorted(each.name for each in WRITES)
    assert found(write()) == {}
    assert all(each["deleted"] for each in ours(simulator))
    assert living_lists(simulator) == []


def test_no_line_and_no_log_holds_the_address(
    simulator: Running, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="constant_contact")
    simulator.control.add_fault("status", after=9, params={"body": f"about {ADDRESS}"})
    shown = " ".join(line.seen for line in write()) + caplog.text
    assert "check.me" not in shown
