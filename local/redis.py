"""Celery's broker without containers: the system's Redis, on a socket that only this user opens."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from local.deployment import REDIS
from local.paths import LOCAL, LOGS
from local.processes import last_lines, spawn, stop_group
from local.sockets import socket_folder
from local.stop import Stop

_SOCKET_NAME = "redis.sock"
_START_TIMEOUT_S = 120


@contextlib.contextmanager
def local_redis(folder: Path = LOCAL / "redis") -> Iterator[str]:
    """A server as long as one is inside; its URL for Celery."""
    program, *arguments = REDIS
    if shutil.which(program) is None:
        raise Stop(
            f"EXECUTOR=celery needs {program}, and this machine has none: install it"
            " (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis), or run"
            " `make up` without EXECUTOR"
        )
    sockets = socket_folder(folder.resolve(), "redis", _SOCKET_NAME)
    for each in (folder, sockets):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket, log = sockets / _SOCKET_NAME, LOGS / "redis.log"
    log.unlink(missing_ok=True)
    command = [
        program, *arguments, "--dir", str(folder.resolve()), "--port", "0",
        "--unixsocket", str(socket), "--unixsocketperm", "700",
    ]  # fmt: skip
    child = spawn(command, log)
    try:
        _await_ready(socket, child, log)
        yield f"redis+socket://{socket}"
    finally:
        stop_group(child.pid)
        if sockets.parent != folder.resolve():
            shutil.rmtree(sockets, ignore_errors=True)


def _await_ready(socket: Path, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    with redis.Redis(unix_socket_path=str(socket)) as client:
        while time.monotonic() < deadline and child.poll() is None:
            with contextlib.suppress(redis.ConnectionError):
                client.ping()
                return
            time.sleep(0.05)
    raise Stop(f"Redis did not start; {log} ends with:\n{last_lines(log)}")
