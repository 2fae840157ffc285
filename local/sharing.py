"""A service that several commands share: the first one starts it, the last one stops it.

Who uses it is a lock that the kernel keeps, so a killed process is not counted:

- `users`: every user holds it shared for as long as it uses the service;
- `guard`: held while starting or stopping;
- `keeper`: held by the process that stops the service when its last user was killed
  (see `local.keeper`).
"""

import contextlib
import fcntl
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from local.processes import spawn

if TYPE_CHECKING:
    import subprocess


class Shared(ABC):
    """A context manager: the service runs at least as long as one process is inside."""

    kind: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._users: IO[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._depth = 0

    @abstractmethod
    def running(self) -> bool:
        """Whether it answers right now."""

    @abstractmethod
    def start(self) -> None:
        """Starts it and returns when it answers; whatever a killed one left is cleared away."""

    @abstractmethod
    def stop(self) -> None:
        """Stops it and returns when it is gone."""

    def __enter__(self) -> Self:
        self._depth += 1
        if self._depth > 1:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._locked("guard"):
                self._users = self._open("users")
                fcntl.flock(self._users, fcntl.LOCK_SH)
                # before the start, during which one may be killed, too
                self._ensure_keeper()
                if not self.running():
                    self.start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._leave()

    def stop_when_unused(self) -> None:
        """The keeper's life: waits until no user is left, then stops the service."""
        with self._open("keeper") as keeper:
            if not _try_lock(keeper):
                return
            while True:
                with self._open("users") as users:
                    # granted when the last user has left or died
                    fcntl.flock(users, fcntl.LOCK_EX)
                if self.stop_if_unused():
                    return

    def stop_if_unused(self) -> bool:
        """Stop it unless it is in use; return whether it is not."""
        with self._locked("guard"), self._open("users") as users:
            unused = _try_lock(users)
            if unused and self.running():
                self.stop()
            return unused

    def _leave(self) -> None:
        self._depth = 0
        if self._users is not None:
            self._users.close()
            self._users = None
        unused = self.stop_if_unused()
        if self._keeper is not None and unused:
            self._keeper.terminate()
            self._keeper.wait()
            self._keeper = None
        elif unused:
            # another keeper has seen the same and is about to go: leave nothing behind
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                with self._open("keeper") as keeper:
                    if _try_lock(keeper):
                        return
                time.sleep(0.02)

    def _ensure_keeper(self) -> None:
        with self._open("keeper") as keeper:
            if not _try_lock(keeper):
                return
        command = [sys.executable, "-m", "local.keeper", self.kind, str(self.folder)]
        self._keeper = spawn(command, self.folder / "keeper.log", outlives_us=True)

    def _open(self, name: str) -> IO[bytes]:
        return (self.folder / f"{name}.lock").open("ab")

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with self._open(name) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
