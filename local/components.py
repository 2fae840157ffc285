"""The processes of `make up`: started, watched, stopped."""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from local.deployment import PROCESSES, SETTINGS, WORKERS
from local.environment import EXECUTOR, LOCAL_EXECUTOR
from local.paths import LOGS
from local.processes import last_lines, spawn, stop_group
from local.stop import FAILED, Stop

if TYPE_CHECKING:
    import subprocess

#: What `make up EXECUTOR=…` may be, and the settings of Airflow that it brings.
SETTINGS_OF: Final = MappingProxyType({"local": MappingProxyType({}), "celery": SETTINGS})

# All tasks here log to files that the api-server reads itself: no log server, no port.
_WITHOUT_LOG_SERVER = ("--skip-serve-logs",)
_WORKER = "worker"


def commands(executor: str) -> dict[str, tuple[str, ...]]:
    """Arguments of `airflow` by the name of the process."""
    made = dict(PROCESSES)
    for name in ("scheduler", "triggerer"):
        made[name] += _WITHOUT_LOG_SERVER
    worker = made.pop(_WORKER) + _WITHOUT_LOG_SERVER
    for number in range(WORKERS if executor != LOCAL_EXECUTOR else 0):
        # two on one machine need names to tell them apart
        name = f"{_WORKER}-{number + 1}"
        made[name] = (*worker, "--celery-hostname", name)
    return made


class Components:
    """Airflow's processes; none outlives us."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._commands = commands(environment[EXECUTOR])
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *, but: str = "") -> None:
        """Starts those that do not run yet, except one; they are not ready yet."""
        for name in self._commands:
            if name != but and name not in self._children:
                (LOGS / f"{name}.log").unlink(missing_ok=True)
                self._start(name)

    def idle_workers(self) -> list[str]:
        """Those that take no tasks yet, by what they log."""
        return [
            name
            for name in self._commands
            if name.startswith(_WORKER)
            and f"celery@{name} ready." not in (LOGS / f"{name}.log").read_text(errors="replace")
        ]

    def watch(self) -> None:
        """Starts a worker again that died, as any supervisor would in production.

        Raises:
            Stop: another process ended, without which nothing works; or a worker that never
                was ready, which the next one would not be either.
        """
        for name, child in list(self._children.items()):
            if child.poll() is None:
                continue
            if not name.startswith(_WORKER) or name in self.idle_workers():
                raise Stop(f"{name} ended with status {child.returncode}; {log_of(name)}", FAILED)
            print(f"{name} ended with status {child.returncode}: started again", flush=True)
            self._start(name)

    def stop(self) -> None:
        """Ends all at once, so that their graces pass together."""
        print("stopping (a task that is running gets ten seconds)", flush=True)
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
        try:
            for child in self._children.values():
                stop_group(child.pid)
        except KeyboardInterrupt:  # a second Ctrl-C: now
            for child in self._children.values():
                stop_group(child.pid, grace_s=0)

    def _start(self, name: str) -> None:
        program = [sys.executable, "-m", "airflow", *self._commands[name]]
        self._children[name] = spawn(program, LOGS / f"{name}.log", environment=self._environment)


def log_of(name: str) -> str:
    """Where a process logs, and how that ends."""
    log = LOGS / f"{name}.log"
    return f"{log} ends with:\n{last_lines(log)}"
