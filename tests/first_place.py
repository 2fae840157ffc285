"""Where one case of `tests.first_run` is tried: a copy of this repository, and what ran in it."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.sockets import digest_of

ROOT = Path(__file__).resolve().parent.parent
IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
RUN = ("run", "DAG=constant_contact_lists")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE_S = 900
# Made and removed by `tests.first_run`; all its cases are below it.
WORK = Path("/tmp") / f"first-run-{os.getpid()}"
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".local", ".*_cache", "__pycache__")


class NotTried(Exception):
    """Why a case is left out here."""


class Wrong(Exception):
    """What is not as it should be."""


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    def works(self) -> str:
        if self.status or "constant_contact_lists succeeded" not in self.out:
            raise Wrong(f"status {self.status}: {self.err.strip() or self.out[-300:]}")
        return "works"

    def says(self, words: str) -> str:
        """It ended in one line, which has these words."""
        lines = [line for line in self.err.splitlines() if not line.startswith("make")]
        if not self.status or len(lines) != 1 or words not in lines[0]:
            raise Wrong(f"status {self.status}, not one line with {words!r}: {self.err.strip()}")
        return lines[0]

    def was_interrupted(self) -> None:
        if not self.status or "Traceback" in self.out + self.err:
            raise Wrong(f"Ctrl-C: status {self.status}: {self.err.strip()[-600:]}")


@dataclass
class Place:
    """A copy of the repository, and who works there."""

    folder: Path
    is_ordinary: bool = False
    umask: int = 0o022
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT, self.folder, ignore=NOT_COPIED, symlinks=True)
        self.caches = WORK / ("caches-of-nobody" if self._gives_away else "caches")
        self.caches.mkdir(exist_ok=True)
        if self._gives_away:
            os.chown(self.caches, NOBODY.pw_uid, NOBODY.pw_gid)
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)

    @property
    def _gives_away(self) -> bool:
        return IS_ROOT and self.is_ordinary

    def start(
        self, *arguments: str, before: Sequence[str] = (), **variables: str
    ) -> "subprocess.Popen[str]":
        own = {} if self._gives_away else {"PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}"}
        index = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("PIP_", "SSL_CERT")) or name.lower().endswith("_proxy")
        }
        return subprocess.Popen(
            [*before, "make", *arguments],
            cwd=self.folder,
            env={
                "HOME": str(self.folder.parent), "PATH": SYSTEM_PATH, "LANG": "C.UTF-8", **index,
                "PIP_CACHE_DIR": str(self.caches / "pip"), "UV_CACHE_DIR": str(self.caches / "uv"),
                **own, **self.environment, **variables,
            },
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            umask=self.umask, start_new_session=True,
            **({"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
               if self._gives_away else {}),
        )  # fmt: skip

    def make(self, *arguments: str, before: Sequence[str] = (), **variables: str) -> Ended:
        return self.end(self.start(*arguments, before=before, **variables))

    def interrupt(self, is_time: Callable[[], bool], *arguments: str) -> None:
        """Presses Ctrl-C when it is time."""
        child = self.start(*arguments)
        while not is_time() and child.poll() is None:
            time.sleep(0.05)
        if child.poll() is not None:
            raise Wrong(f"{arguments[0]} ended before Ctrl-C: {child.communicate()[1][-600:]}")
        os.killpg(child.pid, signal.SIGINT)
        self.end(child).was_interrupted()

    def end(self, child: "subprocess.Popen[str]") -> Ended:
        out, err = child.communicate(timeout=PATIENCE_S)
        deadline = time.monotonic() + 20  # a keeper that was only just starting sees it and goes
        while left := self._left():
            if time.monotonic() > deadline:
                raise Wrong(f"left running: {left}")
            time.sleep(0.2)
        return Ended(child.returncode, out, err)

    def _left(self) -> list[str]:
        """Processes, and what a server leaves in the temporary folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (
                    (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                if str(self.folder) in f"{command} {(process / 'cwd').readlink()}":
                    found.append(command)
        sockets = f"*-{digest_of(self.folder / '.local' / 'postgres')}"
        return [*found, *map(str, Path("/tmp").glob(sockets))]
