"""Runs jobs in children that can be killed: one process that has everything loaded, and forks.

Reads an `Order` a line from standard input, forks a child that runs the job, waits for its end
and prints an `Outcome` a line. A child is killed from inside, at its n-th step, or from outside,
after some time. A step is each moment at which being killed may matter: before a call is sent,
when its answer is there, before and after each commit, before and after the tokens are stored.
"""

import gc
import json
import os
import select
import signal
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import requests

from constant_contact.api.token_pair import TokenPair
from constant_contact.store.database import Database
from tests.faults import account
from tests.faults.jobs import JOBS
from tests.faults.stage import CRM_NAME, FileTokenStore, merging_seam, open_crm, perform
from tests.support import api_settings

# Of a child's connections to the database.
CHILD_NAME = "to be killed"


@dataclass(frozen=True)
class Order:
    """What to run; `kill_at_step` and `kill_after_s` may be None: it runs to its end.

    Attributes:
        has_merges: The CRM's contacts have a column `merged_into`.
    """

    job: str
    crm_url: str
    simulator_url: str
    seed: str
    tokens: str
    kill_at_step: int | None = None
    kill_after_s: float | None = None
    has_merges: bool = False


@dataclass(frozen=True)
class Outcome:
    """How the child ended; `error` is the name of the exception that ended the job."""

    killed: bool
    steps: int = 0
    error: str = ""


class Steps:
    """Counts the moments that matter; at the one asked for, the process kills itself."""

    def __init__(self, last: int | None) -> None:
        self._last = last
        self._lock = threading.Lock()
        self.taken = 0

    def __call__(self) -> None:
        with self._lock:
            self.taken += 1
            if self.taken == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


class SteppingSession(requests.Session):
    """Tells when a call is about to be sent and when its answer has begun."""

    step: Steps

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.step()
        response = super().send(request, **options)
        self.step()
        return response


class SteppingConnection(psycopg.Connection[Any]):
    """Tells when a transaction is about to be committed and when it is."""

    step: Steps

    def commit(self) -> None:
        self.step()
        super().commit()
        self.step()


class SteppingTokenStore(FileTokenStore):
    """Tells when tokens are about to be stored and when they are."""

    step: Steps

    def save(self, pair: TokenPair) -> None:
        self.step()
        super().save(pair)
        self.step()


def run(order: Order) -> Outcome:
    """In the child: the job, as a task runs it."""
    steps = Steps(order.kill_at_step)
    SteppingSession.step = SteppingConnection.step = SteppingTokenStore.step = steps
    requests.Session = SteppingSession  # type: ignore[misc]
    server: Any = SimpleNamespace(url=order.simulator_url)
    crm = Database(
        lambda: SteppingConnection.connect(order.crm_url, application_name=CHILD_NAME),
        name=CRM_NAME,
        seam=merging_seam() if order.has_merges else None,
    )
    store = SteppingTokenStore(crm, Path(order.tokens))
    job = JOBS[order.job]
    try:
        perform(job.run, crm, api_settings(server, order.seed), store, job.lane)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test gets it
        return Outcome(killed=False, steps=steps.taken, error=type(error).__name__)
    return Outcome(killed=False, steps=steps.taken)


def forked(order: Order) -> Outcome:
    """In the parent: fork, wait or kill, tell."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            os.write(writer, json.dumps(asdict(run(order))).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], order.kill_after_s)
    if not ready:
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Outcome(killed=True)
    return Outcome(**json.loads(said))


def main() -> None:
    account.small_pages()
    # what is imported when the first of them is made: once here, not in each child
    open_crm("").close()
    # a collection in a child would copy the pages that it shares with us
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(asdict(forked(Order(**json.loads(line))))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
