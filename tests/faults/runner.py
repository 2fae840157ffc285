"""Kills jobs from the outside: the process that runs them, and waiting until it is noticed."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from time import monotonic, sleep
from typing import Any

from local.paths import ROOT
from tests.faults.job import CHILD_NAME, Order, Outcome


class Runner:
    """The process that runs jobs in children of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.job"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, order: Order) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the runner ended"
        return Outcome(**json.loads(answer))

    def close(self) -> None:
        self._process.communicate(timeout=120)


def wait_for_the_dead(execute: Callable[..., list[Any]]) -> None:
    """Until the database has noticed: a killed run's locks are held until then.

    Args:
        execute: Runs a statement on the CRM database; returns its rows.
    """
    deadline, wait_s = monotonic() + 120, 0.001
    alive = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = %s"
    )
    while execute(alive, CHILD_NAME):
        assert monotonic() < deadline, "a killed run's connection lives on"
        sleep(wait_s)
        # each look costs the server some of the time that the session needs to end
        wait_s = min(2 * wait_s, 0.05)
