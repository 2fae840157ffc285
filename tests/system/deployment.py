"""`make up EXECUTOR=celery` on a CRM and an account of the test's own, steered over REST."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

from local.environment import CONSTANT_CONTACT, CRM
from local.postgres import AIRFLOW_DATABASE, CRM_DATABASE, LocalPostgres
from local.processes import last_lines, spawn, stop_group
from tests.local.local_commands import CLEAN
from tests.ports import free_port

# Patience: a machine that is slow, or stands still for a while, fails nothing by it.
PATIENCE_S = 600
_ANSWERED_WITHIN_S = 120
_BEGUN = re.compile(r"Executing workload in Celery: .*task_id='(\w+)'")


def wait_for(what: str, is_so: Callable[[], bool]) -> None:
    """Looks again and again; says what did not come true."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"not after {PATIENCE_S} s: {what}"
        time.sleep(0.5)


def halted(process: psutil.Process) -> list[psutil.Process]:
    """A process and all below it, stopped where they are."""
    found = [process]
    # each has no more children once it stands still
    for each in found:
        with suppress(psutil.NoSuchProcess):
            each.suspend()
            found += each.children()
    return found


class Deployment:
    """A running one.

    Args:
        folder: of everything local.
        postgres: has Airflow's database and the CRM's.
        up: its process.
        url: of the API server.
    """

    def __init__(self, folder: Path, postgres: LocalPostgres, up: psutil.Process, url: str) -> None:
        self.folder = folder
        self.crm_url = postgres.url(CRM_DATABASE)
        self._metadata_url = postgres.url(AIRFLOW_DATABASE)
        self._up = up
        self._url = url
        password = json.loads((folder / "secrets.json").read_text())["admin_password"]
        login = {"username": "admin", "password": password}
        reply = requests.post(f"{url}/auth/token", json=login, timeout=_ANSWERED_WITHIN_S)
        self._headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}

    def switch_on(self, *nouns: str) -> None:
        """Unpauses DAGs, as soon as Airflow knows them."""
        for noun in nouns:
            url = f"{self._url}/api/v2/dags/constant_contact_{noun}"

            def is_on(url: str = url) -> bool:
                body, known_as = {"is_paused": False}, self._headers
                return requests.patch(
                    url, json=body, headers=known_as, timeout=_ANSWERED_WITHIN_S
                ).ok

            wait_for(f"the DAG {noun} is known", is_on)

    def tasks(self, noun: str, task_id: str) -> list[dict[str, Any]]:
        """Task instances of all runs of a DAG, as Airflow's API tells them."""
        url = f"{self._url}/api/v2/dags/constant_contact_{noun}/dagRuns/~/taskInstances"
        reply = requests.get(url, headers=self._headers, timeout=_ANSWERED_WITHIN_S)
        found: list[dict[str, Any]] = reply.json()["task_instances"]
        return [each for each in found if each["task_id"] == task_id]

    def has_run(self, noun: str, task_id: str) -> bool:
        """Whether each instance of a task, and there is one, has succeeded."""
        found = self.tasks(noun, task_id)
        failed = [each for each in found if each["state"] in ("failed", "upstream_failed")]
        assert not failed, failed
        return bool(found) and all(each["state"] == "success" for each in found)

    def began(self, worker: str) -> list[str]:
        """The tasks that a worker began, by its log."""
        return _BEGUN.findall((self.folder / "logs" / f"{worker}.log").read_text(errors="replace"))

    def lose_worker(self, task_id: str) -> bool:
        """Loses a worker that runs such a task at this moment, as when its machine is lost.

        All of its processes end at once, without a word, and the minutes have passed after which
        the scheduler misses them. Not while a message is on its way: what a worker has taken and
        not begun is missed by another clock, after ten minutes.

        Returns:
            Whether there was one.
        """
        return any(
            self._lose(each, task_id)
            for each in self._up.children()
            if "MainProcess" in " ".join(each.cmdline())
        )

    def _lose(self, worker: psutil.Process, task_id: str) -> bool:
        processes = halted(worker)
        pids = [each.pid for each in processes]
        with psycopg.connect(self._metadata_url) as connection:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE task_id = %s AND pid = ANY(%s)),"
                " count(*) FILTER (WHERE state = 'queued')"
                " FROM task_instance WHERE state IN ('queued', 'running')",
                [task_id, pids],
            ).fetchone()
            assert row
            is_lost = row[0] > 0 and row[1] == 0
            for each in processes:
                with suppress(psutil.NoSuchProcess):
                    each.kill() if is_lost else each.resume()
            if is_lost:
                connection.execute(
                    "UPDATE task_instance SET last_heartbeat_at = last_heartbeat_at"
                    " - INTERVAL '1 hour' WHERE state = 'running' AND pid = ANY(%s)",
                    [pids],
                )
        return is_lost

    def let_retries_be_due(self) -> None:
        """Moves the ends of failed tries back: the minutes before the next one have passed."""
        with psycopg.connect(self._metadata_url) as connection:
            connection.execute(
                "UPDATE task_instance SET end_date = end_date - INTERVAL '1 hour'"
                " WHERE state = 'up_for_retry' AND end_date > now() - INTERVAL '1 hour'"
            )

    def logs(self) -> str:
        """What all processes and all tasks have logged."""
        files = [*self.folder.glob("logs/*.log"), *self.folder.glob("airflow/logs/**/*.log")]
        return "\n".join(file.read_text(errors="replace") for file in files)


@contextmanager
def deployed(
    folder: Path, postgres: LocalPostgres, connection: str, **settings: str
) -> Iterator[Deployment]:
    """Starts it, stops it; all DAGs are off at first.

    Args:
        folder: of everything local; PostgreSQL's is below it.
        postgres: the server.
        connection: to the account.
        settings: variables of Airflow.
    """
    port = free_port()
    log = folder / "up.log"
    environment = {
        **CLEAN,
        "LOCAL_FOLDER": str(folder),
        CRM: postgres.airflow_connection(),
        CONSTANT_CONTACT: connection,
        **settings,
    }
    command = [sys.executable, "-m", "local.up", "--executor", "celery", "--port", str(port)]
    child = spawn(command, log, environment=environment)
    try:

        def is_ready() -> bool:
            assert child.poll() is None, last_lines(log)
            return "ready:" in log.read_text(errors="replace")

        wait_for(f"`make up` is ready; {log}", is_ready)
        yield Deployment(folder, postgres, psutil.Process(child.pid), f"http://127.0.0.1:{port}")
    finally:
        stop_group(child.pid, grace_s=60)
