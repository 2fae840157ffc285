"""Airflow as `make up` starts it, in a folder of its own, and who may enter there."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from local.postgres import CRM_DATABASE, LocalPostgres
from local.processes import last_lines, spawn, stop_group
from local.secrets_file import load_secrets
from local.simulator import SharedSimulator
from tests.local.local_commands import CLEAN
from tests.ports import free_port

T = TypeVar("T")

#: `make up` gives up by itself before that
_READY_WITHIN_S = 360


@dataclass(frozen=True)
class LocalAirflow:
    """What runs, and how to reach its parts beside the browser."""

    url: str
    folder: Path

    @property
    def password(self) -> str:
        """Of the user admin."""
        return load_secrets(self.folder / "secrets.json").admin_password

    @property
    def crm_url(self) -> str:
        """The CRM database."""
        return LocalPostgres(self.folder / "postgres").url(CRM_DATABASE)

    @property
    def vendor_url(self) -> str:
        """The simulator."""
        return SharedSimulator(self.folder / "simulator").account.url


@contextlib.contextmanager
def local_airflow(folder: Path) -> Iterator[LocalAirflow]:
    """Starts it, gone with this process whatever happens; no other `.local` is touched."""
    port, log = free_port(), folder / "up.log"
    child = spawn(
        [sys.executable, "-m", "local.up", "--port", str(port)],
        log,
        environment={**CLEAN, "LOCAL_FOLDER": str(folder), "PYTHONUNBUFFERED": "1"},
    )
    try:
        deadline = time.monotonic() + _READY_WITHIN_S
        while "ready: " not in log.read_text():
            is_starting = child.poll() is None and time.monotonic() < deadline
            assert is_starting, f"{log} ends with:\n{last_lines(log)}"
            time.sleep(0.1)
        yield LocalAirflow(f"http://localhost:{port}", folder)
    finally:
        # in order: its tasks get ten seconds, then its PostgreSQL and simulator end
        stop_group(child.pid, grace_s=40)
        child.wait()


def eventually(look: Callable[[], T], within_s: float = 240) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing was found within {within_s} s"
        time.sleep(0.2)
    return found


def is_root() -> bool:
    """Chromium refuses its sandbox to root."""
    return os.geteuid() == 0
