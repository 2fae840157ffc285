"""Killed anywhere, each job goes on as though nothing had happened.

Each job is killed with SIGKILL at many points: at steps of its own (see `tests.faults.job`) and
at moments that fall where they fall; sometimes twice. Then it runs to its end, and the CRM database
is what a run without a kill leaves. The points come from a seed that the test's name tells.
"""

import random
from pathlib import Path
from time import monotonic

import pytest

from constant_contact.errors import AuthorizationRequired
from tests.faults.job import Order, Outcome
from tests.faults.runner import Runner, wait_for_the_dead
from tests.faults.stage import FileTokenStore, Open, Stage

pytestmark = pytest.mark.slow

SEED = 20261122
KILLS = 50
AT_STEPS = 56
AT_TIMES = 8
# The night is contacts, links, campaigns, engagement and interactions in a row.
KILLED_JOBS = (
    "lists", "contacts_full", "contacts_changed", "links", "campaigns", "activities", "night",
    "opt_outs", "memberships",
)  # fmt: skip


class Killing:
    """One job on its stage: killed in a process of its own, run to its end in ours.

    Ours has its sessions with the database already: what a new one reads and plans first is half
    the cost of a small job.
    """

    def __init__(self, stage: Stage, runner: Runner, tokens: Path) -> None:
        self._stage = stage
        self._runner = runner
        self._tokens = tokens

    def begin(self) -> None:
        self._stage.reset()
        self._tokens.unlink(missing_ok=True)
        self._stage.store = FileTokenStore(self._stage.crm, self._tokens)

    def run_apart(self, step: int | None = None, after_s: float | None = None) -> Outcome:
        stage = self._stage
        order = Order(
            stage.name, stage.url, stage.base_url, stage.seed, str(self._tokens), step, after_s
        )
        return self._runner.run(order)

    def run_to_the_end(self) -> None:
        """As the next run of the DAG; a person authorizes first if the kill took the tokens."""
        wait_for_the_dead(self._stage.execute)
        try:
            self._stage.run()
        except AuthorizationRequired:
            # Killed between the vendor's answer and our storing it: only then is it lost.
            assert not self._tokens.exists()
            self._stage.authorize()
            self._stage.run()


@pytest.mark.parametrize("job_name", KILLED_JOBS)
def test_a_job_killed_anywhere_ends_as_one_that_was_not(
    stage_of: Open, runner: Runner, tmp_path: Path, job_name: str
) -> None:
    chance = random.Random(f"{SEED} {job_name}")
    stage = stage_of(job_name)
    killing = Killing(stage, runner, tmp_path / "tokens")
    killing.begin()
    began = monotonic()
    undisturbed = killing.run_apart()
    lasted_s = monotonic() - began
    assert undisturbed.error == ""
    assert stage.differences(stage.undisturbed.once) == []
    # Each step once before any comes twice: threads make the same step another moment.
    every = chance.sample(range(1, undisturbed.steps), undisturbed.steps - 1)
    points: list[int | None] = [*(every * AT_STEPS)[:AT_STEPS], *[None] * AT_TIMES]
    kills = 0
    for number, point in enumerate(points):
        killing.begin()
        after_s = chance.uniform(0.1, 0.9) * lasted_s if point is None else None
        first = killing.run_apart(point, after_s)
        kills += first.killed
        if chance.random() < 0.3:
            kills += killing.run_apart(after_s=chance.uniform(0.1, 0.9) * lasted_s).killed
        killing.run_to_the_end()
        where = f"kill {number}, at step {point} or after {after_s} s"
        # Killed when all was done: the run after it is a second one.
        differences = stage.differences(stage.undisturbed.once)
        assert not differences or not stage.differences(stage.undisturbed.twice), (
            where,
            differences,
        )
        stage.assert_nobody_was_wronged()
    assert kills >= KILLS


def test_a_kill_costs_no_more_than_the_calls_on_their_way(
    stage_of: Open, runner: Runner, tmp_path: Path
) -> None:
    """Page by page: what is stored before the kill is not read again."""
    stage = stage_of("contacts_full")
    killing = Killing(stage, runner, tmp_path / "tokens")
    killing.begin()
    steps = killing.run_apart().steps
    calls = stage.calls()
    for step in range(steps // 3, steps, max(1, steps // 12)):
        killing.begin()
        assert killing.run_apart(step=step).killed
        killing.run_to_the_end()
        # The page that was not stored, and the one that was fetched ahead of it.
        assert stage.calls() <= calls + 2
