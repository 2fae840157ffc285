"""`make up`: Airflow with its UI on this machine, until Ctrl-C."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import NoReturn

from local.environment import CONSTANT_CONTACT
from local.health import unhealthy
from local.locks import is_locked, locked
from local.paths import LOCAL, LOGS
from local.processes import last_lines, spawn, stop_group
from local.secrets_file import load_secrets
from local.stack import Stack, local_stack, migrate_local_crm
from local.stop import FAILED, Stop, command

# LocalExecutor's tasks log to files that the api-server reads itself: no log server, no port
COMPONENTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
DEFAULT_PORT = 8080
_LOCK = LOCAL / "airflow" / "up.lock"
_HEALTHY_WITHIN_S = 180


def main() -> int:
    """Starts everything, says when it is ready, and stops everything."""
    parser = argparse.ArgumentParser(prog="python -m local.up", description=__doc__)
    parser.add_argument("--port", type=int, help=f"{DEFAULT_PORT}, or the next free one")
    port = choose_port(parser.parse_args().port)
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    if _LOCK.exists() and is_locked(_LOCK):
        raise Stop("`make up` is already running here")
    with locked(_LOCK), local_stack(os.environ, port) as stack:
        print("starting Airflow (half a minute, a little more the first time)", flush=True)
        applied = migrate_local_crm(stack)
        if applied:
            print(f"the local CRM has its schema: {', '.join(applied)}", flush=True)
        with _airflow(stack, port) as children:
            _await_health(children, port)
            _greet(stack, port)
            # this is how it is meant to end
            with contextlib.suppress(KeyboardInterrupt):
                _watch(children)
    return 0


def choose_port(asked: int | None) -> int:
    """The port asked for, else 8080 or the first free one above it.

    Raises:
        Stop: the port asked for is taken.
    """
    if asked is not None:
        if not _is_free(asked):
            raise Stop(f"PORT={asked} is taken: choose another")
        return asked
    return next(port for port in range(DEFAULT_PORT, DEFAULT_PORT + 1000) if _is_free(port))


@contextlib.contextmanager
def _airflow(stack: Stack, port: int) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    environment = stack.environment | {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
    }
    _prepare(stack, environment)
    if stack.local_metadata and not stack.uses_own_connections:
        # `prepare` has put it into Airflow's database, where the UI can change it
        del environment[CONSTANT_CONTACT]
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in COMPONENTS.items():
            log = LOGS / f"{name}.log"
            log.unlink(missing_ok=True)
            program = [sys.executable, "-m", "airflow", *arguments]
            children[name] = spawn(program, log, environment=environment)
        yield children
    finally:
        _stop(children)


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


def _await_health(children: Mapping[str, subprocess.Popen[bytes]], port: int) -> None:
    deadline = time.monotonic() + _HEALTHY_WITHIN_S
    missing = list(COMPONENTS)
    while time.monotonic() < deadline:
        _stop_when_one_ended(children)
        missing = unhealthy(f"http://127.0.0.1:{port}")
        if not missing:
            return
        time.sleep(0.5)
    name = missing[0].replace("_", "-")
    raise Stop(f"{', '.join(missing)} not healthy after {_HEALTHY_WITHIN_S} s; {_log_of(name)}")


def _greet(stack: Stack, port: int) -> None:
    print(f"ready: http://localhost:{port}  user admin  password {load_secrets().admin_password}")
    if stack.uses_own_connections:
        print("your CRM and your account: every DAG is off until you switch it on in the UI")
    else:
        print("local CRM and simulator: the DAGs are on; what you switch off stays off")
    print(f"logs in {LOGS}; Ctrl-C stops everything", flush=True)


def _watch(children: Mapping[str, subprocess.Popen[bytes]]) -> NoReturn:
    while True:
        _stop_when_one_ended(children)
        time.sleep(0.5)


def _stop_when_one_ended(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise Stop(f"{name} ended with status {child.returncode}; {_log_of(name)}", FAILED)


def _log_of(name: str) -> str:
    log = LOGS / f"{name}.log"
    return f"{log} ends with:\n{last_lines(log)}"


def _stop(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    print("stopping (a task that is running gets ten seconds)", flush=True)
    # all at once, so that their graces pass together
    for child in children.values():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
    try:
        for child in children.values():
            stop_group(child.pid)
    except KeyboardInterrupt:  # a second Ctrl-C: now
        for child in children.values():
            stop_group(child.pid, grace_s=0)


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
