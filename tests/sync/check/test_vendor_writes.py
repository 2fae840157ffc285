"""The writing check: what it tries, what it never touches, and what it leaves."""

import re
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import DatabaseUnavailable
from constant_contact.store.database import Database
from constant_contact.sync.check.assumptions import Line, Result, Side
from constant_contact.sync.check.trial import MARK
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_assumptions import WRITES
from constant_contact.sync.check.vendor_writes import PROBES, WRITE_CALLS, write_vendor
from constant_contact.sync.check.write_assumptions import REMOVAL
from simulator.server import Running
from tests.support import Rows, contact_id, vendor_contact
from tests.sync.check.stocked import found, results
from tests.sync.memberships.requests import list_id

ADDRESS = "check.me@example.com"
_OFTEN = 1_000_000
Write = Callable[[], Generator[Line, None, None]]


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
    names = [REMOVAL.name, *(each.name for probe in PROBES for each in probe.assumptions)]
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


@pytest.mark.parametrize("steps", range(1, len(WRITES)))
def test_what_an_interrupted_run_left_is_removed_by_the_next(
    simulator: Running, write: Write, steps: int
) -> None:
    # Kept: one that is thrown away takes away what it made.
    interrupted = write()
    list(islice(interrupted, steps))
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
    interrupted = write()
    list(islice(interrupted, 6))
    assert [each["deleted"] for each in ours(simulator)] == [False]
    add_crm_contact("other", "other@example.com")
    with crm.session() as session:
        other = TrialContact(crm, session, "other")
        lines = list(write_vendor(client, other, waits_s=(0, 0, 0)))
    assert set(results(lines).values()) == {Result.OK}
    assert [each["deleted"] for each in ours(simulator)] == [True]
    assert living_lists(simulator) == []


def test_a_second_run_says_which_list_it_removed(simulator: Running, write: Write) -> None:
    interrupted = write()
    (first,) = islice(interrupted, 1)
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
    assert f"contact {mine['contact_id']} is still there: " in lines[-1].seen
    assert "; list " in lines[-1].seen


def test_a_bulk_job_that_does_not_end_is_given_up_and_brings_nothing_back(
    simulator: Running, write: Write
) -> None:
    simulator.control.settings(bulk_polls=1000, bulk_seconds=-1, import_keeps_opt_outs=False)
    lines = list(write())
    assert found(lines) == {"bulk_time": Result.DIFFERS, "removal": Result.DIFFERS}
    assert results(lines)["bulk_add"] is Result.NOT_TRIED
    assert results(lines)["import"] is Result.NOT_TRIED
    assert "is still open, and may bring the contact back; run the check again" in lines[-1].seen
    simulator.control.finish_bulk()
    assert [each["deleted"] for each in ours(simulator)] == [True]


def test_an_import_that_does_not_end_is_told_and_what_it_brings_back_goes_with_the_next_run(
    simulator: Running, write: Write
) -> None:
    simulator.control.settings(import_keeps_opt_outs=False)
    lines = []
    for line in write():
        lines.append(line)
        if line.assumption.name == "membership_counters":
            simulator.control.settings(bulk_polls=1000, bulk_seconds=-1)
    assert results(lines)["import"] is Result.NOT_TRIED
    assert results(lines)["import_keeps_opt_outs"] is Result.NOT_TRIED
    assert results(lines)["removal"] is Result.DIFFERS
    simulator.control.finish_bulk()
    simulator.control.settings(bulk_polls=1, bulk_seconds=0, import_keeps_opt_outs=True)
    assert found(write()) == {}
    assert [each["deleted"] for each in ours(simulator)] == [True]


def test_a_bulk_job_whose_answer_is_lost_is_told_as_open(simulator: Running, write: Write) -> None:
    simulator.control.add_fault("reset_after", match={"path": "contacts_json_import"})
    lines = list(write())
    assert results(lines)["import"] is Result.REFUSED
    assert "bulk job without an id is still open" in lines[-1].seen


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
    told = {line.assumption.name: line for line in lines}
    assert told[before].result is Result.NOT_TRIED
    assert re.search("must not be emailed|more than one|another address", told[before].seen)
    assert told["removal"].result is Result.OK
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


def test_a_database_that_is_away_in_the_middle_leaves_a_line_that_names_what_was_made(
    simulator: Running,
    write: Write,
    crm: Database,
    sql_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[Line] = []

    def read() -> None:
        for line in write():
            lines.append(line)
            if line.assumption.name == "bulk_add":
                cut_off(crm, sql_rows, monkeypatch)

    with pytest.raises(DatabaseUnavailable):
        read()
    monkeypatch.undo()
    (mine,) = ours(simulator)
    assert lines[-1].assumption.name == "removal"
    assert lines[-1].result is Result.DIFFERS
    assert f"contact {mine['contact_id']} may still be emailed: the CRM's data" in lines[-1].seen
    assert f"contact {mine['contact_id']} is still there" in lines[-1].seen
    assert "; list " in lines[-1].seen


def cut_off(crm: Database, sql_rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CRM's server lets nobody in."""

    def refuse() -> psycopg.Connection[Any]:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(crm, "_connect", refuse)
    sql_rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


@pytest.mark.parametrize("after", ["unsubscribed_creation", "opt_in", "import"])
def test_whatever_stops_it_the_contact_is_unsubscribed_and_deleted(
    simulator: Running, write: Write, after: str, caplog: pytest.LogCaptureFixture
) -> None:
    lines = write()
    while next(lines).assumption.name != after:
        pass
    with pytest.raises(KeyboardInterrupt):
        lines.throw(KeyboardInterrupt())
    (mine,) = ours(simulator)
    assert (mine["deleted"], mine["permission"]) == (True, "unsubscribed")
    assert living_lists(simulator) == []
    assert "the check was interrupted: removal: list and contact are deleted" in caplog.text


def test_a_day_that_is_spent_in_the_middle_does_not_keep_it_from_trying_to_remove(
    simulator: Running, write: Write, sql_rows: Rows
) -> None:
    lines = []
    for line in write():
        lines.append(line)
        if line.assumption.name == "opt_in":
            sql_rows("UPDATE ctct_api_budget SET calls = 1000000")
        if line.assumption.name == "bulk_time":
            sql_rows("UPDATE ctct_api_budget SET calls = 0")
    assert (
        "the calls of the day are used up"
        in {line.assumption.name: line for line in lines}["bulk_add"].seen
    )
    assert lines[-1].result is Result.OK
    (mine,) = ours(simulator)
    assert (mine["deleted"], mine["permission"]) == (True, "unsubscribed")


def test_what_is_known_is_deleted_though_the_search_for_the_rest_fails(
    simulator: Running, write: Write
) -> None:
    simulator.control.add_fault(
        "reset_after", after=1, match={"path": "/contacts$", "method": "POST"}
    )
    simulator.control.add_fault(
        "html_503", after=1, times=_OFTEN, match={"path": "/contacts$", "query": "email="}
    )
    lines = list(write())
    assert results(lines)["taken_address"] is Result.REFUSED
    assert lines[-1].seen.startswith("what else was made is unknown: GET /v3/contacts")
    assert [each["deleted"] for each in ours(simulator)] == [True]
    assert living_lists(simulator) == []


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
