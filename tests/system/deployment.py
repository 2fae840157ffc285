"""`make up EXECUTOR=celery` on a CRM and an account of the test's own, steered over REST."""

import json
import re
import signal
import socket
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

_BEGUN = re.compile(r"Executing workload in Celery: .*task_id='(\w+)'")


def wait_for(what: str, is_so: Callable[[], bool], within_s: float) -> None:
    """Looks again and again; says what did not come true."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"not after {within_s:.0f} s: {what}"
        time.sleep(0.5)


def free_port() -> int:
    """One that nobody listens on yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        token = requests.post(f"{url}/auth/token", json=login, timeout=30).json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def switch_on(self, *nouns: str) -> None:
        """Unpauses DAGs, as soon as Airflow knows them."""
        for noun in nouns:
            url = f"{self._url}/api/v2/dags/constant_contact_{noun}"

            def is_on(url: str = url) -> bool:
                body = {"is_paused": False}
                return requests.patch(url, json=body, headers=self._headers, timeout=30).ok

            wait_for(f"the DAG {noun} is known", is_on, 60)

    def tasks(self, noun: str, task_id: str) -> list[dict[str, Any]]:
        """Task instances of all runs of a DAG, as Airflow's API tells them."""
        url = f"{self._url}/api/v2/dags/constant_contact_{noun}/dagRuns/~/taskInstances"
        reply = requests.get(url, headers=self._headers, timeout=30)
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

    def kill_worker(self, name: str) -> None:
        """As when its machine is lost: it and all of its processes at once, without a word."""
        (worker,) = (each for each in self._up.children() if name in " ".join(each.cmdline()))
        for each in [*worker.children(recursive=True), worker]:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)

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

        wait_for(f"`make up` is ready; {log}", is_ready, 200)
        yield Deployment(folder, postgres, psutil.Process(child.pid), f"http://127.0.0.1:{port}")
    finally:
        stop_group(child.pid, grace_s=60)
