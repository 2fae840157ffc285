"""Child processes that do not outlive us."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.paths import ROOT

_PR_SET_PDEATHSIG = 1


def die_with_parent(sign: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel signals the child when we die, even by kill -9. Linux only."""
    if sys.platform != "linux":
        return None
    # loaded before the fork: a forked child must not import or allocate more than it has to
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(sign))
        if os.getppid() != parent:  # we died before the kernel was asked
            os._exit(1)

    return ask_kernel


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    outlives_us: bool = False,
) -> subprocess.Popen[bytes]:
    """Starts a command in a session of its own, so that the terminal's Ctrl-C does not reach it.

    What it prints goes to the end of `log`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # safe: the commands of this folder start their children before any thread
            preexec_fn=None if outlives_us else die_with_parent(),  # noqa: PLW1509
        )


def stop_group(pid: int, grace_s: float = 10) -> None:
    """Ends the process group that `pid` leads: asks first, kills what is left after the grace."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline:
            reap(pid)
            os.killpg(pid, 0)
            time.sleep(0.05)
        os.killpg(pid, signal.SIGKILL)
        reap(pid)


def reap(pid: int) -> None:
    """Takes note that a child ended, where it is ours: else it would stay as a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for a message that says why its writer did not start."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
