"""`make up`: Airflow with its UI on this machine, until Ctrl-C.

With `EXECUTOR=celery` its tasks run in workers of their own, as they do in production.
"""

import argparse
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from local.components import SETTINGS_OF, Components, log_of
from local.deployment import BROKER, EXECUTION_API
from local.environment import CONSTANT_CONTACT, EXECUTOR, LOCAL_EXECUTOR
from local.health import unhealthy
from local.locks import is_locked, locked
from local.paths import LOCAL, LOGS
from local.processes import last_lines, spawn, stop_group
from local.redis import local_redis
from local.secrets_file import load_secrets
from local.stack import Stack, local_stack, migrate_local_crm
from local.stop import Stop, command

DEFAULT_PORT = 8080
_LOCK = LOCAL / "airflow" / "up.lock"
_HEALTHY_WITHIN_S = 300


def main() -> int:
    """Starts everything, says when it is ready, and stops everything."""
    parser = argparse.ArgumentParser(prog="python -m local.up", description=__doc__)
    parser.add_argument("--port", type=int, help=f"{DEFAULT_PORT}, or the next free one")
    parser.add_argument(
        "--executor", choices=SETTINGS_OF, default="local", help="where tasks run (%(default)s)"
    )
    asked = parser.parse_args()
    # before the port: it is that one which has it
    if is_locked(_LOCK):
        raise Stop("`make up` is already running here")
    port = choose_port(asked.port)
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    settings = SETTINGS_OF[asked.executor]
    with locked(_LOCK), local_stack(os.environ, port, settings) as stack:
        print("starting Airflow (half a minute, a little more the first time)", flush=True)
        applied = migrate_local_crm(stack)
        if applied:
            print(f"the local CRM has its schema: {', '.join(applied)}", flush=True)
        with _airflow(stack, port) as airflow:
            _greet(stack, port)
            # this is how it is meant to end
            with contextlib.suppress(KeyboardInterrupt):
                _watch(airflow)
    return 0


def choose_port(asked: int | None) -> int:
    """The port asked for, else 8080 or the first free one above it."""
    if asked is not None:
        if not _is_free(asked):
            raise Stop(f"PORT={asked} is taken: choose another")
        return asked
    return next(port for port in range(DEFAULT_PORT, DEFAULT_PORT + 1000) if _is_free(port))


def addresses(port: int) -> dict[str, str]:
    """Where Airflow's processes and its user find the api-server."""
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__API__WORKERS": "1",
        EXECUTION_API: f"http://127.0.0.1:{port}/execution/",
    }


@contextlib.contextmanager
def _airflow(stack: Stack, port: int) -> Iterator[Components]:
    environment = stack.environment | addresses(port)
    with contextlib.ExitStack() as parts:
        if environment[EXECUTOR] != LOCAL_EXECUTOR and not environment.get(BROKER):
            environment[BROKER] = parts.enter_context(local_redis())
        _prepare(stack, environment)
        if stack.local_metadata and not stack.uses_own_connections:
            # `prepare` has put it into Airflow's database, where the UI can change it
            del environment[CONSTANT_CONTACT]
        airflow = Components(environment)
        parts.callback(airflow.stop)
        url = f"http://127.0.0.1:{port}"
        # a task that the scheduler hands out before the api-server listens fails its first try
        airflow.start(but="scheduler")
        _await(airflow, lambda: [name for name in unhealthy(url) if name == "api-server"])
        airflow.start()
        _await(airflow, lambda: unhealthy(url) + airflow.idle_workers())
        yield airflow


def _prepare(stack: Stack, environment: Mapping[str, str]) -> None:
    # what lies in a database that the user named is the user's: its switches are not touched
    target = "own" if stack.uses_own_connections else "demo"
    log = LOGS / "prepare.log"
    log.unlink(missing_ok=True)
    child = spawn(
        [sys.executable, "-m", "local.prepare"],
        log,
        environment={
            **environment,
            "LOCAL_TARGET": target if stack.local_metadata else "foreign",
        },
    )
    try:
        if child.wait():
            raise Stop(f"Airflow's database is not ready; {log} ends with:\n{last_lines(log)}")
    finally:
        stop_group(child.pid, grace_s=5)


def _await(airflow: Components, missing: Callable[[], list[str]]) -> None:
    """Returns as soon as nothing is missing.

    Raises:
        Stop: something still is after minutes, or a process ended.
    """
    deadline = time.monotonic() + _HEALTHY_WITHIN_S
    while names := missing():
        airflow.watch()
        if time.monotonic() > deadline:
            where = log_of(names[0].replace("_", "-"))
            raise Stop(f"{', '.join(names)} not healthy after {_HEALTHY_WITHIN_S} s; {where}")
        time.sleep(0.5)


def _greet(stack: Stack, port: int) -> None:
    print(f"ready: http://localhost:{port}  user admin  password {load_secrets().admin_password}")
    if stack.uses_own_connections:
        print("your CRM and your account: every DAG is off until you switch it on in the UI")
    else:
        print("local CRM and simulator: the DAGs are on; what you switch off stays off")
    print("begin with Browse, Constant Contact, Connection, Check")
    print(f"logs in {LOGS}; Ctrl-C stops everything", flush=True)


def _watch(airflow: Components) -> NoReturn:
    while True:
        airflow.watch()
        time.sleep(0.5)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    command(main)
