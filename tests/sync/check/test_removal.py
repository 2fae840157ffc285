"""What a check made is removed, whatever ends it, or named."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import psycopg
import pytest

from constant_contact.api.client import Client
from constant_contact.errors import DatabaseUnavailable
from constant_contact.store.database import Database
from constant_contact.sync.check.assumptions import Line, Result
from constant_contact.sync.check.trial_contact import TrialContact
from constant_contact.sync.check.vendor_assumptions import WRITES
from constant_contact.sync.check.vendor_writes import write_vendor
from simulator.server import Running
from tests.support import Rows
from tests.sync.check.stocked import found, results
from tests.sync.check.trials import Write, living_lists, ours

_OFTEN = 1_000_000


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
    """The CRM's server lets no login in."""

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
