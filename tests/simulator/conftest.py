from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from simulator_client import Api  # noqa: E402 - after the path is set
from simulator_contacts import LIST, LIST_2  # noqa: E402 - as above

from simulator import calls, limits  # noqa: E402 - as above
from simulator.server import Running, running  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

UNLIMITED = {"calls_per_second": 0, "calls_per_day": 0, "token_calls_per_second": 0}


@pytest.fixture(scope="session")
def shared() -> Iterator[Running]:
    with running() as sim:
        yield sim


@pytest.fixture
def sim(shared: Running) -> Running:
    """A simulator as new, without limits."""
    shared.control.reset()
    shared.control.limits(**UNLIMITED)
    return shared


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock by which calls a second are counted: it stands still but for `now`."""
    clock = SimpleNamespace(now=1000.0)
    for module in (calls, limits):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def api(sim: Running) -> Api:
    return Api(sim)


@pytest.fixture
def account(sim: Running) -> Running:
    """A made-up account of some size."""
    sim.control.generate(
        seed=7, contacts=1200, lists=6, campaigns=12, events=9000, activities_per_campaign=2
    )
    return sim


@pytest.fixture
def lists(api: Api) -> None:
    api.sim.control.load(
        lists=[{"list_id": LIST, "name": "One"}, {"list_id": LIST_2, "name": "Two"}]
    )


@pytest.fixture
def sent(api: Api) -> dict[str, Any]:
    """Three contacts and a campaign sent to them at noon on 1 March."""
    control = api.sim.control
    ids = control.load(
        contacts=[{"email": f"{n}@example.com", "first_name": n} for n in ("ann", "bob", "cy")]
    )["contacts"]
    made = control.send_campaign(name="March", sent_at="2026-03-01T12:00:00Z", contact_ids=ids)
    return {"ids": ids, "activity": made["campaign_activity_id"], "campaign": made["campaign_id"]}
