"""Kills jobs from the outside: the process that runs them, and waiting until it is noticed."""

import json
import subprocess
import sys
from dataclasses import asdict
from time import monotonic, sleep

import psycopg

from local.paths import ROOT
from tests.faults.job import Order, Outcome
from tests.faults.stage import OWN_NAME


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


def wait_for_the_dead(crm_url: str) -> None:
    """Until the database has noticed: a killed run's locks are held until then."""
    deadline = monotonic() + 120
    alive = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND application_name <> %s"
    )
    with psycopg.connect(crm_url, autocommit=True, application_name=OWN_NAME) as connection:
        while connection.execute(alive, [OWN_NAME]).fetchall():
            assert monotonic() < deadline, "a killed run's connection lives on"
            sleep(0.001)
