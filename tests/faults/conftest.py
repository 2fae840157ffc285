"""Stages for the jobs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from constant_contact.api import tokens, vendor
from simulator.server import Running
from tests.databases import Databases
from tests.faults.account import PAGES
from tests.faults.runner import Runner
from tests.faults.stage import Stage
from tests.faults.wasted import wasted  # noqa: F401 - a fixture
from tests.faults.world import World


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
def world(
    databases: Databases, shared_simulator: Running, runner: Runner, tmp_path: Path
) -> Iterator[World]:
    name = databases.create()
    url = databases.url(name)
    made = World(url, shared_simulator.control, shared_simulator.url, runner, tmp_path / "tokens")
    yield made
    made.close()
    databases.drop(name)
