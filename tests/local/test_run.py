"""`make run`: its exit status is true to the outcome."""

import contextlib
import time

import psutil
import pytest

from tests.local.local_commands import Commands, Ended

pytestmark = pytest.mark.slow
RUN = "local.run"


@pytest.fixture(scope="module")
def ended(commands: Commands) -> dict[str, Ended]:
    """Four runs that start at the same moment on a machine with nothing running yet."""
    dated = [RUN, "succeeds", "--date", "2026-01-31"]
    asked = {
        "succeeds": dated,
        "succeeds too": dated,
        "fails": [RUN, "fails"],
        "goes_on_later": [RUN, "goes_on_later"],
    }
    return dict(zip(asked, commands.run_at_once(list(asked.values())), strict=True))


@pytest.mark.parametrize("name", ["succeeds", "succeeds too"])
def test_a_run_that_succeeds_ends_with_0_also_beside_another_for_the_same_date(
    ended: dict[str, Ended], name: str
) -> None:
    assert ended[name].status == 0, ended[name]
    assert "the total is 12" in ended[name].out


def test_messages_of_tasks_are_one_line_each_and_airflows_own_are_not_shown(
    ended: dict[str, Ended],
) -> None:
    lines = ended["succeeds"].out.splitlines()
    assert sum("the total is 12" in line for line in lines) == 1
    assert any("tried again" in line and "double[1]" in line for line in lines)
    assert len(lines) == 4, lines  # starts, tried again, total, succeeded


def test_a_run_that_fails_ends_with_1_and_the_reason_on_one_line(ended: dict[str, Ended]) -> None:
    failed = ended["fails"]
    assert failed.status == 1
    assert failed.err.splitlines()[0] == "fails failed: breaks: AIRFLOW_CONN_THING is wrong: set it"
    assert "Traceback" not in failed.out + failed.err


def test_a_run_that_is_rescheduled_ends_with_75_and_says_when_and_why(
    ended: dict[str, Ended],
) -> None:
    later = ended["goes_on_later"]
    assert later.status == 75
    assert "waits goes on after " in later.err
    assert later.err.strip().endswith("UTC: the day's budget is spent")


def test_a_date_names_the_run_whose_interval_begins_on_that_day(ended: dict[str, Ended]) -> None:
    assert "2026-01-31 01:00 to 2026-02-01 01:00 UTC" in ended["succeeds"].out
    assert "from 2026-01-31 01:00:00+00:00 the total is 12" in ended["succeeds"].out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which DAG?"),
        (["succeeds", "--conf", "{"], "CONF is no JSON"),
        (["succeeds", "--conf", "[1]"], "CONF is no JSON object"),
        (["succeeds", "--date", "tomorrow"], "DATE=tomorrow is no date"),
        (["unknown"], "no DAG unknown; there are fails, goes_on_later, succeeds"),
        (["succeeds", "--date", "9000-01-01"], "DATE=9000-01-01 lies ahead"),
    ],
)
def test_what_cannot_be_run_ends_with_2_and_one_line(
    commands: Commands, arguments: list[str], message: str
) -> None:
    result = commands.run(RUN, *arguments)
    assert result.status == 2
    assert message in result.err
    assert len(result.err.splitlines()) == 1


def test_one_connection_without_the_other_is_refused(commands: Commands) -> None:
    result = commands.run(RUN, "succeeds", AIRFLOW_CONN_CRM_DEFAULT="postgres://u:secret@h/d")
    assert result.status == 2
    assert result.err.startswith("AIRFLOW_CONN_CONSTANT_CONTACT_DEFAULT is not set")
    assert "secret" not in result.err


def test_migrating_a_crm_that_is_away_says_which_setting_and_no_password(
    commands: Commands,
) -> None:
    result = commands.run(
        "local.migrate", AIRFLOW_CONN_CRM_DEFAULT="postgres://crm:secret@127.0.0.1:1/crm"
    )
    assert result.status == 1
    assert result.err.startswith("AIRFLOW_CONN_CRM_DEFAULT: cannot connect to 127.0.0.1:1/crm")
    assert len(result.err.splitlines()) == 1
    assert "secret" not in result.out + result.err


def test_everything_that_was_started_is_stopped(
    commands: Commands, ended: dict[str, Ended]
) -> None:
    deadline = time.monotonic() + 60  # a keeper that was only just starting sees it and goes
    while (left := _processes_of(commands)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def _processes_of(commands: Commands) -> list[list[str]]:
    mine = str(commands.local)
    lines = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            lines.append(process.cmdline())
    return [line for line in lines if any(mine in part for part in line)]
