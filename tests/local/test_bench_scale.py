"""`make bench SCALE=…` on an account that is just large enough for indexes to matter."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from local.bench.plans import LARGE_ROWS
from local.bench.scale import Scale, measure_scale, shown
from local.bench.stage import Stage
from local.postgres import LocalPostgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    with LocalPostgres(tmp_path_factory.mktemp("bench")) as postgres:
        stage = Stage(postgres, Console(file=io.StringIO()), large=False, rounds=1, seconds=1)
        yield measure_scale(stage, LARGE_ROWS + LARGE_ROWS // 5, events_per_contact=3)


def test_a_quiet_night_keeps_to_its_calls_its_memory_and_its_indexes(scale: Scale) -> None:
    results = shown(scale)
    checks = [check for result in results for check in result.checks]
    assert {check.what for check in checks} >= {
        "calls", "peak memory", "calls for contacts", "calls for activities",
        "statements that read a large table whole, unasked",
    }  # fmt: skip
    # how long it takes is the bench's to say, on a machine that does nothing else
    missed = [(each.what, each.value) for each in checks if not each.met and each.unit != " s"]
    assert missed == [], [note for result in results for note in result.notes]


def test_every_job_did_something_and_a_night_without_news_brought_none(scale: Scale) -> None:
    did = {each.job: each.did for each in scale.quiet}
    assert did.pop("retention") == 0
    assert min(did.values()) > 0
    assert min(each.did for each in scale.outboxes) > 0
    quiet = {each.job: each.did for each in scale.nothing}
    assert (quiet["links"], quiet["engagement"], quiet["interactions"]) == (0, 0, 0)
