"""Stages for the jobs, and the table of wasted calls at the end."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from constant_contact.api import tokens, vendor
from simulator.server import Running
from tests.faults.account import PAGES
from tests.faults.runner import Runner
from tests.faults.stage import Stage
from tests.support import Databases

# Fault → job → calls beyond the undisturbed runs.
WASTED: pytest.StashKey[dict[str, dict[str, int]]] = pytest.StashKey()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages, so that a small account has many; no pause between token calls."""
    for name, size in PAGES.items():
        monkeypatch.setattr(vendor, name, size)
    monkeypatch.setattr(tokens, "time", SimpleNamespace(sleep=lambda _seconds: None))


@pytest.fixture(scope="session")
def stages() -> Iterator[dict[str, Stage]]:
    """The stages made so far: making one takes as long as ten tests."""
    made: dict[str, Stage] = {}
    yield made
    for stage in made.values():
        stage.close()


@pytest.fixture
def stage_of(
    stages: dict[str, Stage], shared_simulator: Running, databases: Databases
) -> Callable[[str], Stage]:
    """The stage of a job, as it is before the job ran."""

    def get(name: str) -> Stage:
        if name not in stages:
            url = databases.url(databases.create())
            stages[name] = Stage(name, url, shared_simulator.control, shared_simulator.url)
        stages[name].reset()
        return stages[name]

    return get


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    started = Runner()
    yield started
    started.close()


@pytest.fixture
def wasted(pytestconfig: pytest.Config) -> Callable[[str, str, int], None]:
    """Keeps how many calls a fault cost a job, for the table."""
    table = pytestconfig.stash.setdefault(WASTED, {})

    def keep(fault: str, job: str, calls: int) -> None:
        row = table.setdefault(fault, {})
        row[job] = max(calls, row.get(job, calls))

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table = terminalreporter.config.stash.get(WASTED, {})
    if not table:
        return
    jobs = list(dict.fromkeys(job for row in table.values() for job in row))
    terminalreporter.section("calls wasted by each fault, beyond the same runs without it")
    terminalreporter.line(f"{'':28}" + "".join(f"{job[:11]:>12}" for job in jobs))
    for fault, row in table.items():
        cells = "".join(f"{row.get(job, '-'):>12}" for job in jobs)
        terminalreporter.line(f"{fault:28}{cells}")
